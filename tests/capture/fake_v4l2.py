"""A stand-in for a camera's Linux device. Importable on Linux only."""

from __future__ import annotations

import numpy as np

from livefilter.capture.base import SourceOptions
from livefilter.capture.mode import Mode
from livefilter.capture.v4l2_camera import V4l2CameraSource
from livefilter.capture.v4l2_device import CameraPicture
from livefilter.errors import SourceLost
from tests.capture.fakes import CAMERA
from tests.conftest import picture
from tests.fakes import FakeClock

MODES = (Mode("YUYV", 64, 48, 30.0), Mode("MJPG", 64, 48, 30.0))


class FakeCamera:
    """Cameras of one kind, opened as often as they are asked for.

    rates: what it really gives in a pixel format, where that differs from what it states. frames: how many pictures
    there are in all; then it is lost, `why`. black: how many are black at first. loses: pictures lost in each opening
    with a queue shorter than `needs`. refuses: the error of opening it.
    """

    def __init__(
        self,
        rates: dict[str, float] | None = None,
        *,
        frames: int | None = None,
        why: str = "was unplugged",
        black: int = 0,
        needs: int = 2,
        refuses: OSError | None = None,
        modes: tuple[Mode, ...] = MODES,
        size: tuple[int, int] = (64, 48),
    ) -> None:
        self.clock = FakeClock()
        self.opened: list[tuple[str, int]] = []
        self.closed = 0
        self.given = 0
        self.rates = rates or {}
        self.frames = frames
        self.why = why
        self.black = black
        self.needs = needs
        self.refuses = refuses
        self.modes = modes
        self.size = size

    def source(self, options: SourceOptions | None = None, target: str = "0") -> V4l2CameraSource:
        """A camera source on this device."""
        return V4l2CameraSource(
            target,
            options or SourceOptions(64, 48),
            cameras=lambda: [CAMERA],
            open_device=self.open,
            offered=lambda path, width, height: list(self.modes),
        )

    def open(self, path: str, mode: Mode, fps: float, queue: int) -> FakeDevice:
        """What V4l2Device is."""
        if self.refuses is not None:
            raise self.refuses
        assert path == CAMERA.path
        self.opened.append((mode.pixel_format, queue))
        return FakeDevice(self, mode, queue)


class FakeDevice:
    """One opening of a FakeCamera."""

    def __init__(self, camera: FakeCamera, mode: Mode, queue: int) -> None:
        self.mode = mode
        self.missing = 0
        self._camera = camera
        self._queue = queue
        self._sequence = -1
        self._closed = False

    def read(self, timeout_s: float) -> CameraPicture:
        camera = self._camera
        if camera.frames is not None and camera.given >= camera.frames:
            raise SourceLost(camera.why)
        self._sequence += 1
        camera.given += 1
        camera.clock.now += 1 / camera.rates.get(self.mode.pixel_format, self.mode.fps)
        if self._queue < camera.needs:
            self.missing += 1
        image = picture(*camera.size, camera.given)
        return CameraPicture(
            np.zeros_like(image) if camera.given <= camera.black else image, camera.clock.now, self._sequence
        )

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._camera.closed += 1
