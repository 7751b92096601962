"""A camera of Windows or macOS, through OpenCV."""

from __future__ import annotations

import itertools
import logging
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, Protocol

# Media Foundation takes half a minute to open some cameras while it looks for hardware transforms.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")

import cv2

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.camera_trouble import why_unusable
from livefilter.capture.lease import Lease
from livefilter.capture.listing import camera_backends, find_camera, lasting_target, list_cameras
from livefilter.capture.pixels import to_bgr
from livefilter.errors import SourceLost, SourceUnavailable, UnknownName
from livefilter.frame import Frame, Image

_log = logging.getLogger(__name__)
_FIRST_FRAME_TRIES = 4
_MEASURED_FRAMES = 15
_MEASURE_S = 0.5


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def read(self) -> tuple[bool, Any]: ...
    def set(self, prop: int, value: float) -> bool: ...
    def get(self, prop: int) -> float: ...
    def release(self) -> None: ...


class CameraSource(Source):
    """A camera by index, device path or name; `info.fps` is measured, since cameras lie.

    Construction waits for the first frame and then at most half a second more, to measure the rate.
    open_capture: opens the device under an index with one of OpenCV's backends.
    clock: seconds, as `time.perf_counter`.
    Raises on construction: SourceUnavailable (missing, busy, not permitted, no frames), InvalidInput (ambiguous name).
    """

    def __init__(
        self,
        target: str,
        options: SourceOptions,
        *,
        open_capture: Callable[[int, int], Capture] = cv2.VideoCapture,
        cameras: Callable[[int | None], list[CameraDescription]] = list_cameras,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        known = cameras(None)
        try:
            camera = find_camera(target.removeprefix("camera:"), known)
        except UnknownName as error:
            # It may have been unplugged, and then it can come back.
            raise SourceUnavailable(str(error)) from error
        self._name = str(camera)
        self._clock = clock
        self._capture = _opened(camera, open_capture, cameras)
        try:
            _ask(self._capture, options)
            image = self._first_image(camera)
            fps = self._measured_fps()
        except BaseException:
            self._capture.release()
            raise
        self.info = SourceInfo(
            self._name,
            image.shape[1],
            image.shape[0],
            fps,
            live=True,
            reopen_target=f"camera:{lasting_target(camera, known)}",
        )
        self._number = 0
        self._lost = False
        self._lease = Lease(self._name, self._capture.release)

    def read(self) -> Frame:
        with self._lease:
            # After an unplugged camera failed once, OpenCV may hand out its last frame again as if it were new.
            image = None if self._lost else self._next_image()
            captured_at = self._clock()
            if image is None:
                self._lost = True
                raise SourceLost(f"{self._name} stopped delivering frames: it was unplugged, or it hangs.")
            if image.shape[:2] != (self.info.height, self.info.width):
                self._lost = True
                raise SourceLost(f"{self._name} changed its size to {image.shape[1]}x{image.shape[0]}.")
            self._number += 1
            return Frame(image, self._number - 1, captured_at)

    def close(self) -> None:
        self._lease.close()

    def _next_image(self) -> Image | None:
        try:
            ok, pixels = self._capture.read()
            return to_bgr(pixels) if ok and pixels is not None and pixels.size else None
        except cv2.error as error:
            _log.debug("%s: %s", self._name, error)
            return None
        except ValueError as error:
            raise SourceLost(f"{self._name} delivers {error}, which is not understood here.") from error

    def _first_image(self, camera: CameraDescription) -> Image:
        for _ in range(_FIRST_FRAME_TRIES):
            image = self._next_image()
            if image is not None:
                return image
        raise SourceUnavailable(f"{self._name} opens but gives no picture: {why_unusable(camera)}.")

    def _measured_fps(self) -> float:
        """Frames per second from the frames of the next moments; the device's word when they are too few."""
        start = self._clock()
        times = [start]
        while len(times) <= _MEASURED_FRAMES and times[-1] - start < _MEASURE_S:
            if self._next_image() is None:
                break
            times.append(self._clock())
        claimed = self._capture.get(cv2.CAP_PROP_FPS)
        # The median leaves out frames that had been waiting in the driver's buffer.
        gap = statistics.median(b - a for a, b in itertools.pairwise(times)) if len(times) > 3 else 0.0
        if gap < 1 / 500:
            return claimed if 1 <= claimed <= 500 else 30.0
        fps = round(1.0 / gap, 2)
        if claimed > 0 and abs(fps - claimed) > 0.15 * claimed:
            _log.info("%s says %.3g fps and gives %.3g; low light slows many cameras down", self._name, claimed, fps)
        return fps


def _opened(
    camera: CameraDescription,
    open_capture: Callable[[int, int], Capture],
    cameras: Callable[[int | None], list[CameraDescription]],
) -> Capture:
    """The camera in the first backend that opens it.

    Raises: SourceUnavailable.
    """
    for backend in camera_backends():
        # Each backend counts in its own way, so there the device is looked up again by what does not change.
        there = camera if backend == camera.backend else _same_camera(camera, cameras(backend))
        if there is None:
            continue
        try:
            capture = open_capture(there.index, backend)
        except cv2.error as error:
            _log.debug("%s in backend %d: %s", camera, backend, error)
            continue
        if capture.isOpened():
            return capture
        capture.release()
    raise SourceUnavailable(f"Cannot open {camera}: {why_unusable(camera)}.")


def _same_camera(camera: CameraDescription, others: list[CameraDescription]) -> CameraDescription | None:
    for other in others:
        if (camera.path is not None and other.path == camera.path) or other.name == camera.name:
            return other
    return None


def _ask(capture: Capture, options: SourceOptions) -> None:
    """Ask for what the options say; a camera that cannot do it gives something else, which `info` shows."""
    # Uncompressed pictures do not fit through USB 2 at high sizes and rates, so MJPG comes before the size.
    capture.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
    if options.width and options.height:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, float(options.width))
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, float(options.height))
    if options.fps:
        capture.set(cv2.CAP_PROP_FPS, options.fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1.0)
