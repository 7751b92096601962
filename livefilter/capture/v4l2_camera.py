"""A camera on Linux, through V4L2 itself."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from typing import Protocol

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.camera_trouble import why_unusable
from livefilter.capture.lease import Lease
from livefilter.capture.listing import find_camera, lasting_target, list_cameras
from livefilter.capture.mode import Mode
from livefilter.capture.modes import ranked, wanted_fps
from livefilter.capture.v4l2_device import CameraPicture, V4l2Device, modes_of
from livefilter.errors import SourceLost, SourceUnavailable, UnknownName
from livefilter.frame import Frame

_log = logging.getLogger(__name__)
# One second is long for a camera and short for whoever wants to end the program.
_TIMEOUT_S = 1.0
_FIRST_PICTURE_S = 4.0
_BLACK_S = 1.0
_BLACK = 10  # grey level below which nothing can be seen
_MEASURED_FRAMES = 15
_MEASURE_S = 0.5
_KEEPS_RATE = 0.9
_SAME_RATE = 0.02  # half a second of measuring is not more exact than this
_CHOOSING_S = 3.0
_LOST_BY_CHANCE = 1
_QUEUES = (2, 3, 4)
_MOST_TRIED = 3


class Device(Protocol):
    """The part of V4l2Device that is used."""

    mode: Mode
    missing: int

    def read(self, timeout_s: float) -> CameraPicture: ...
    def close(self) -> None: ...


class V4l2CameraSource(Source):
    """A camera by index, path, bus or name, in the mode that keeps the rate; frames carry the time of the camera.

    Construction waits for the first picture, for a second more while it is black, and measures the rate: half a second
    for each mode that is tried. With `options.mode` nothing is measured.
    Raises on construction: SourceUnavailable (missing, busy, not permitted, no pictures), InvalidInput (ambiguous).
    """

    def __init__(
        self,
        target: str,
        options: SourceOptions,
        *,
        cameras: Callable[[], list[CameraDescription]] = list_cameras,
        open_device: Callable[[str, Mode, float, int], Device] = V4l2Device,
        offered: Callable[[str, int, int], list[Mode]] = modes_of,
    ) -> None:
        known = cameras()
        try:
            self._camera = find_camera(target.removeprefix("camera:"), known)
        except UnknownName as error:
            # It may have been unplugged, and then it can come back.
            raise SourceUnavailable(str(error)) from error
        self._name = str(self._camera)
        self._path = self._camera.path or f"/dev/video{self._camera.index}"
        self._open_device = open_device
        self._seen = False
        try:
            device = self._as_before(options)
            if device is None:
                modes = ranked(offered(self._path, options.width, options.height), options)
                if not modes:
                    raise SourceUnavailable(self._why_no_modes(known))
                device, fps = self._chosen(modes, wanted_fps(options))
            else:
                fps = device.mode.fps or wanted_fps(options)
        except OSError as error:
            raise SourceUnavailable(f"Cannot open {self._name}: {why_unusable(self._camera)}.") from error
        self._device, mode = device, device.mode
        self.info = SourceInfo(
            self._name,
            mode.width,
            mode.height,
            fps,
            live=True,
            reopen_target=f"camera:{lasting_target(self._camera, known)}",
            mode=mode,
        )
        self._number = 0
        self._lost: SourceLost | None = None
        self._lease = Lease(self._name, self._device.close)

    def read(self) -> Frame:
        with self._lease:
            if self._lost is not None:
                raise self._lost
            try:
                picture = self._device.read(_TIMEOUT_S)
            except SourceLost as lost:
                self._lost = SourceLost(f"{self._name} {lost}.")
                raise self._lost from lost
            self._number += 1
            return Frame(picture.image, self._number - 1, picture.captured_at)

    def close(self) -> None:
        self._lease.close()

    def _why_no_modes(self, known: list[CameraDescription]) -> str:
        if not self._camera.virtual:
            return f"{self._name} offers no pictures in a format that is understood here."
        webcams = ", ".join(str(camera) for camera in known if not camera.virtual) or "none"
        return f"{self._name} is a virtual camera that nobody sends to, not a webcam. Webcams here: {webcams}."

    def _as_before(self, options: SourceOptions) -> Device | None:
        """The device in the mode that was best before; None when there is none, or another device has come instead.

        Raises: OSError, SourceUnavailable.
        """
        if options.mode is None:
            return None
        device = self._ready(options.mode, wanted_fps(options), _QUEUES[-1])
        if dataclasses.replace(device.mode, fps=options.mode.fps) == options.mode:
            return device
        device.close()
        return None

    def _chosen(self, modes: list[Mode], target: float) -> tuple[Device, float]:
        """The device in the first mode that keeps the rate, or else in the fastest, and its rate.

        Raises: OSError, SourceUnavailable.
        """
        device, fps = self._tried(modes[:_MOST_TRIED], target)
        stated = device.mode.fps
        if stated and abs(fps - stated) > 0.15 * stated:
            _log.info("%s says %.3g fps and gives %.3g; low light slows many cameras down", self._name, stated, fps)
        _log.info("%s delivers %s", self._name, device.mode)
        return device, fps

    def _tried(self, modes: list[Mode], target: float) -> tuple[Device, float]:
        """The device in the first mode that keeps the rate, with the shortest lossless queue, and its rate."""
        queues, waiting = list(_QUEUES), list(modes)
        enough = time.monotonic() + _CHOOSING_S
        found: list[tuple[float, Mode]] = []
        while True:
            mode = waiting[0]
            device = self._ready(mode, target, queues[0])
            try:
                fps = _measured_fps(device, device.mode.fps or target)
            except SourceLost as lost:
                device.close()
                raise SourceUnavailable(f"{self._name} {lost}.") from lost
            found.append((fps, mode))
            loses = device.missing > _LOST_BY_CHANCE and len(queues) > 1
            keeps = fps >= _KEEPS_RATE * min(target, mode.fps or target)
            if (keeps and not loses) or time.monotonic() > enough:
                return device, fps
            if not loses and len(waiting) == 1:
                break
            device.close()
            (queues if loses else waiting).pop(0)
        best_fps, best = max(found, key=lambda entry: entry[0])
        if best is mode:
            return device, fps
        device.close()
        return self._ready(best, target, queues[0]), best_fps

    def _ready(self, mode: Mode, target: float, queue: int) -> Device:
        """The open device, once it gives pictures in which something can be seen."""
        device = self._open_device(self._path, mode, target, queue)
        try:
            first = device.read(_FIRST_PICTURE_S)
            if not self._seen:
                self._seen = True
                self._wait_for_light(device, first)
            device.missing = 0
        except SourceLost as lost:
            device.close()
            raise SourceUnavailable(f"{self._name} opens, but it {lost}.") from lost
        except BaseException:
            device.close()
            raise
        return device

    def _wait_for_light(self, device: Device, picture: CameraPicture) -> None:
        """Leave out the black pictures that many cameras give at first, for a second at most."""
        until = picture.captured_at + _BLACK_S
        while picture.image.max() < _BLACK:
            if picture.captured_at > until:
                _log.warning("%s gives black pictures: is its lens covered, or its switch off?", self._name)
                return
            picture = device.read(_FIRST_PICTURE_S)


def _measured_fps(device: Device, stated: float) -> float:
    """Frames per second by the camera's own clock, over the next moments; `stated` when they are too few."""
    pictures = [device.read(_TIMEOUT_S)]
    while len(pictures) <= _MEASURED_FRAMES and pictures[-1].captured_at - pictures[0].captured_at < _MEASURE_S:
        pictures.append(device.read(_TIMEOUT_S))
    # Pictures that nobody took in time make a gap longer, but not the camera slower.
    first, last = pictures[0], pictures[-1]
    passed_s = last.captured_at - first.captured_at
    fps = max(last.sequence - first.sequence, len(pictures) - 1) / passed_s if passed_s > 0 else stated
    return stated if len(pictures) < 4 or abs(fps - stated) < _SAME_RATE * stated else round(fps, 2)
