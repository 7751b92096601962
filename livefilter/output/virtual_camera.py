"""A camera that other programs can choose."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable, nearest
from livefilter.frame import Frame, Image
from livefilter.nv12 import to_bgr
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.driver import loopbacks, missing_driver, windows_cameras

_log = logging.getLogger(__name__)

# What each driver takes without converting it again; others get BGR and convert it themselves.
_NATIVE = {"v4l2loopback": "I420", "obs": "NV12"}


class VirtualCameraSink(Sink):
    """Sends frames to a virtual camera through pyvirtualcam: v4l2loopback on Linux, OBS or Unity Capture elsewhere.

    Odd sizes are made even by repeating the last column or row, since cameras count colour in pairs of pixels. The
    caller keeps the rate: pyvirtualcam's own pacing is not used. With `nv12` in the options, v4l2loopback and OBS are
    opened for NV12, and frames that come so are handed over as they are.
    target: a device path, the name that other programs show, or "" for the device labelled "livefilter" and else the
    first one. On Linux a name is looked up among the labels.
    """

    def __init__(self, target: str, options: SinkOptions) -> None:
        if not (0 < options.width <= 16384 and 0 < options.height <= 16384):
            raise InvalidInput(
                f"A virtual camera cannot be {options.width}x{options.height}: "
                f"each side must be from 1 to 16384 pixels."
            )
        pyvirtualcam = _library()
        device = _device(target)
        self._size = (options.width, options.height)
        self._even = (options.width + options.width % 2, options.height + options.height % 2)
        self.takes_nv12 = options.nv12
        formats = dict.fromkeys(_NATIVE, "NV12") if options.nv12 else _NATIVE
        self._camera, self._format = _open(pyvirtualcam, device, self._even, options.fps or 30.0, target, formats)
        self._closed = False
        width, height = self._even
        self._yuv = np.empty((height * 3 // 2, width), np.uint8)
        self._nv12 = np.empty_like(self._yuv)
        self.name = f"virtual camera {self._camera.device}"
        if self._size != self._even:
            _log.info("%s is %dx%d, as a camera needs even sides.", self.name, width, height)

    def send(self, frame: Frame) -> None:
        """Convert to the driver's own format and hand over.

        Raises: SinkLost: the device is gone; InvalidInput: a frame of another size.
        """
        if self._closed:
            raise SinkLost(f"{self.name} is closed, so it takes no more frames. Open it again.")
        if (frame.width, frame.height) != self._size:
            raise InvalidInput(
                f"A frame of {frame.width}x{frame.height} cannot go to {self.name}, which was opened for "
                f"{self._size[0]}x{self._size[1]}."
            )
        try:
            self._camera.send(self._converted(frame.image))
        except Exception as error:  # pyvirtualcam's native parts raise plain RuntimeError and whatever the OS gave
            raise SinkLost(
                f"{self.name} stopped taking frames: {_one_line(error)}. Check that its driver is still loaded."
            ) from error

    def close(self) -> None:
        """Free the device; programs that show it see it freeze or vanish. Can be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._camera.close()
        except Exception as error:
            raise SinkLost(f"{self.name} could not be closed: {_one_line(error)}.") from error

    @classmethod
    def unavailable(cls) -> str | None:
        """Why there is no virtual camera on this machine, with the command that installs one; None when there is."""
        missing = missing_driver()
        if missing is not None:
            return missing
        try:
            _library()
        except SinkUnavailable as error:
            return str(error)
        return None

    def _converted(self, image: Image) -> NDArray[np.uint8]:
        if image.ndim == 2:
            return image if self._format == "NV12" else self._converted(to_bgr(image))
        if self._size != self._even:
            down, right = self._even[1] - self._size[1], self._even[0] - self._size[0]
            image = np.asarray(cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        if self._format == "BGR":
            return image
        cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=self._yuv)
        if self._format == "I420":
            return self._yuv
        # NV12 is I420 with the two colour planes woven into one.
        luma = self._even[0] * self._even[1]
        flat, woven = self._yuv.reshape(-1), self._nv12.reshape(-1)
        woven[:luma] = flat[:luma]
        woven[luma::2] = flat[luma : luma * 5 // 4]
        woven[luma + 1 :: 2] = flat[luma * 5 // 4 :]
        return self._nv12


def _library() -> Any:
    try:
        import pyvirtualcam
    except Exception as error:  # its native part fails to load in ways of its own on unsupported systems
        raise SinkUnavailable(
            f"No virtual camera: pyvirtualcam cannot be loaded ({_one_line(error)}). "
            f"Install it with: pip install --force-reinstall pyvirtualcam"
        ) from error
    return pyvirtualcam


def _device(target: str) -> str | None:
    """The device as pyvirtualcam wants it named; None leaves the choice to it."""
    if not sys.platform.startswith("linux"):
        return target or None
    if target.startswith("/"):
        return target
    found = loopbacks()
    if not target:
        return found[0].path if found else None
    for loopback in found:
        if loopback.label.lower() == target.lower():
            return loopback.path
    labels = [loopback.label for loopback in found]
    near = nearest(target, labels)
    meant = f" Did you mean {near!r}?" if near else ""
    fix = missing_driver()
    here = f"Here: {', '.join(f'{loopback.label} ({loopback.path})' for loopback in found)}." if found else fix or ""
    raise SinkUnavailable(f"No virtual camera is called {target!r}.{meant} {here}")


def _open(
    library: Any, device: str | None, size: tuple[int, int], fps: float, target: str, formats: Mapping[str, str]
) -> tuple[Any, str]:
    """Open the first driver that works, in the format of `formats` or else BGR: the camera and that format."""
    trouble: list[str] = []
    for driver in library.camera.BACKENDS:
        kind = formats.get(driver, "BGR")
        try:
            camera = library.Camera(
                *size, fps, fmt=library.PixelFormat[kind], device=device, backend=driver, print_fps=False
            )
            return camera, kind
        except Exception as error:  # see send
            trouble.append(_one_line(error))
    fix = missing_driver()
    if fix is not None and not target:
        raise SinkUnavailable(fix)
    if fix is None and sys.platform.startswith("linux"):
        fix = "Close the program that uses it, or name another device: --output camera:/dev/videoN"
    elif fix is None:
        known = ", ".join(windows_cameras())
        fix = f"Stop it in the program that uses it{f' (installed here: {known})' if known else ''}, and try again."
    what = f"Virtual camera {target or device}" if target or device else "Virtual camera"
    raise SinkUnavailable(f"{what} cannot be opened: {'; '.join(trouble) or 'no driver'}. {fix}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
