"""A camera that other programs can choose."""

from __future__ import annotations

import logging
import sys
from typing import Any

import cv2
import numpy as np

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable, nearest
from livefilter.frame import Frame, Image
from livefilter.letterbox import letterboxed
from livefilter.nv12 import nv12_to_bgr
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.camera.driver import loopbacks, missing_driver, windows_cameras
from livefilter.output.camera.loopback import prepare, refuse_fed, v4l2_calls
from livefilter.output.camera.mapped_buffers import MappedBuffers
from livefilter.output.camera.watchers import Watchers
from livefilter.output.camera.yuv import YuvEncoder

_log = logging.getLogger(__name__)

# What each driver takes without converting it again; Unity Capture gets BGR and converts it itself.
# OBS on Linux reads through libv4l2, which offers it RGB in place of NV12, and RGB it does not take: I420 it does.
_NATIVE = {"v4l2loopback": "I420", "obs": "NV12"}
_NATIVE_ON_MACOS = {"obs": "UYVY"}
_KINDS = {"NV12": "NV12", "YU12": "I420", "YUYV": "YUYV", "UYVY": "UYVY"}  # V4L2's names and pyvirtualcam's
_FOURCC = {kind: fourcc for fourcc, kind in _KINDS.items()}
# The driver that shows transparency, which OBS takes from it; with the wish for it.
_SHOWS_ALPHA = "unitycapture"


class VirtualCameraSink(Sink):
    """Sends frames to a virtual camera through pyvirtualcam: v4l2loopback on Linux, OBS or Unity Capture elsewhere.

    Odd sizes are made even by repeating the last column or row, since cameras count colour in pairs of pixels. While a
    Linux program still reads frames of another size or format, from before, it goes on getting those; the wanted ones
    come as soon as nobody watches. Frames that come as NV12 go on as they are where the driver takes NV12. The caller
    keeps the rate: pyvirtualcam's own pacing is not used.
    target: a device path, the name that other programs show, or "" for the device labelled "livefilter" and else the
    first one. On Linux a name is looked up among the labels.
    device: the camera's own name, such as /dev/video10.
    """

    comes_back = True

    def __init__(self, target: str, options: SinkOptions) -> None:
        if not (0 < options.width <= 16384 and 0 < options.height <= 16384):
            raise InvalidInput(
                f"A virtual camera cannot be {options.width}x{options.height}: "
                f"each side must be from 1 to 16384 pixels."
            )
        self._library = _library()
        self._device = _device(target)
        self._target = target
        self._fps = options.fps or 30.0
        self._size = (options.width, options.height)
        self._even = (options.width + options.width % 2, options.height + options.height % 2)
        self.takes_nv12 = options.nv12
        self._alpha = options.alpha
        self._wanted = "NV12" if options.nv12 else _NATIVE["v4l2loopback"]
        self._watchers: Watchers | None = None
        self._buffers: MappedBuffers | None = None
        self._closed = False
        self._open()
        self.device = str(self._camera.device)
        self.name = f"virtual camera {self._camera.device}{_label_of(self._camera.device)}"
        if self._bound:
            self.notice = (
                f"{self._device} stays at {self._sent[0]}x{self._sent[1]} as long as a program reads it; "
                f"then it becomes {self._even[0]}x{self._even[1]}."
            )
        if self._size != self._even:
            _log.info("%s is %dx%d, as a camera needs even sides.", self.name, *self._even)

    @classmethod
    def check(cls, target: str) -> None:
        device = _device(target)
        if sys.platform.startswith("linux") and device is not None:
            refuse_fed(device)

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
        if self._bound and self.watched() is False:
            self._change_over()
        try:
            cutout = frame.cutout if self._kind == "RGBA" else None
            picture = self._converted(frame.image if cutout is None else cutout.image)
            if self._buffers is not None:
                self._buffers.mark()
            self._camera.send(picture)
        except Exception as error:  # pyvirtualcam's native parts raise plain RuntimeError and whatever the OS gave
            raise SinkLost(
                f"{self.name} stopped taking frames: {_one_line(error)}. Check that its driver is still loaded."
            ) from error

    def watched(self) -> bool | None:
        """Whether a program has the camera open; None on systems that do not tell."""
        return None if self._watchers is None or self._closed else self._watchers.any()

    def close(self) -> None:
        """Free the device; programs that show it see it freeze or vanish. Can be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._free()
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
            if sys.platform.startswith("linux"):
                v4l2_calls()
        except SinkUnavailable as error:
            return str(error)
        return None

    def _open(self) -> None:
        """Open the device at the wanted size, or at the one that its readers are bound to (`_bound`)."""
        accepted = None
        on_linux = sys.platform.startswith("linux")
        if on_linux and self._device is not None:
            accepted = prepare(self._device, *self._even, self._fps, _FOURCC[self._wanted])
        self._sent = (accepted.width, accepted.height) if accepted else self._even
        self._camera, self._kind = _open(
            self._library,
            self._device,
            self._sent,
            self._fps,
            self._target,
            accepted.pixel_format if accepted else _FOURCC[self._wanted] if on_linux else None,
            alpha=self._alpha,
        )
        self._bound = accepted is not None and (self._sent != self._even or self._kind != self._wanted)
        self._encode = YuvEncoder(self._kind, *self._sent)
        if accepted and self._device:
            self._buffers = MappedBuffers(self._device)
            # Opened last, so that our own hold on the device is not taken for somebody else's.
            self._watchers = Watchers(self._device)

    def _free(self) -> None:
        for part in (self._watchers, self._buffers):
            if part is not None:
                part.close()
        self._watchers = self._buffers = None
        self._camera.close()

    def _change_over(self) -> None:
        """Take the wanted size and format, now that nobody watches.

        Raises: SinkLost.
        """
        try:
            self._free()
            self._open()
        except SinkUnavailable as error:
            raise SinkLost(f"{self.name} could not be opened again: {error}") from error
        _log.info("%s is %dx%d now.", self.name, *self._sent)

    def _converted(self, image: Image) -> Image:
        if image.ndim == 2:
            if self._kind == "NV12" and self._sent == self._size:
                return image
            image = nv12_to_bgr(image)
        if self._sent != self._even:
            image = letterboxed(image, *self._sent)
        elif self._size != self._even:
            down, right = self._even[1] - self._size[1], self._even[0] - self._size[0]
            image = np.asarray(cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        return self._encode(image)


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


def _label_of(device: str) -> str:
    """The name under which other programs list a Linux device, to be put behind its path."""
    labels = [loopback.label for loopback in loopbacks() if loopback.path == device]
    return f" ({labels[0]})" if labels else ""


def _open(
    library: Any,
    device: str | None,
    size: tuple[int, int],
    fps: float,
    target: str,
    bound_to: str | None,
    *,
    alpha: bool = False,
) -> tuple[Any, str]:
    """Open the first driver that works, in the format it takes unconverted: the camera and that format.

    bound_to: the V4L2 format that the device insists on. alpha: with transparency, where the driver shows it.
    """
    if bound_to is not None and bound_to not in _KINDS:
        raise SinkUnavailable(
            f"Virtual camera {device} is still read as {bound_to}, which is not written here. "
            f"Close the programs that show it first."
        )
    native = dict(_NATIVE_ON_MACOS if sys.platform == "darwin" else _NATIVE)
    if alpha:
        native[_SHOWS_ALPHA] = "RGBA"
    trouble: list[str] = []
    for driver in library.camera.BACKENDS:
        kind = _KINDS[bound_to] if bound_to else native.get(driver, "BGR")
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
