"""What a V4L2 device is asked and what its answers mean, with its driver's functions replaced by hand."""

from __future__ import annotations

import errno
import mmap
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("V4L2 is a part of Linux", allow_module_level=True)

from linuxpy.video import device as v4l2

from livefilter.capture import v4l2_device
from livefilter.capture.colour import BT601, BT709, Layout
from livefilter.capture.mode import Mode
from livefilter.capture.v4l2_device import V4l2Device, modes_of
from livefilter.errors import SourceLost

MODE = Mode("GREY", 8, 4, 30.0)


class FakeDriver:
    """Two buffers of grey pictures; `filled` holds what waits: sequence, brightness, flags, bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.filled: deque[tuple[int, int, int, int]] = deque()
        self.buffers = [mmap.mmap(-1, 32) for _ in range(2)]
        self.queued: deque[int] = deque()
        self.error: OSError | None = None
        self.streaming = False
        self.pix = SimpleNamespace(
            width=8,
            height=4,
            bytesperline=8,
            pixelformat=v4l2.PixelFormat.GREY,
            colorspace=0,
            ycbcr_enc=0,
            quantization=0,
        )
        for name in (
            "set_format", "set_fps", "get_fps", "get_raw_format", "request_buffers", "query_buffer", "mmap_from_buffer",
            "enqueue_buffer", "dequeue_buffer", "stream_on", "stream_off",
        ):  # fmt: skip
            monkeypatch.setattr(v4l2, name, getattr(self, name))
        monkeypatch.setattr(v4l2_device, "select", SimpleNamespace(select=self.select))

    def select(
        self, read: list[int], _w: object, _x: object, timeout_s: float
    ) -> tuple[list[int], list[int], list[int]]:
        if self.filled or self.error:
            return read, [], []
        time.sleep(timeout_s)
        return [], [], []

    def set_format(self, *_: Any) -> None: ...
    def set_fps(self, *_: Any) -> None: ...
    def get_fps(self, *_: Any) -> float:
        return 30.0

    def get_raw_format(self, *_: Any) -> Any:
        return SimpleNamespace(fmt=SimpleNamespace(pix=self.pix))

    def request_buffers(self, *_: Any) -> Any:
        return SimpleNamespace(count=len(self.buffers))

    def query_buffer(self, fd: int, what: Any, memory: Any, index: int) -> int:
        return index

    def mmap_from_buffer(self, fd: int, index: int) -> mmap.mmap:
        return self.buffers[index]

    def enqueue_buffer(self, fd: int, what: Any, memory: Any, size: int, index: int) -> None:
        assert index not in self.queued
        self.queued.append(index)

    def dequeue_buffer(self, *_: Any) -> Any:
        if self.error is not None:
            raise self.error
        if not self.filled or not self.queued:
            raise BlockingIOError
        sequence, grey, flags, used = self.filled.popleft()
        index = self.queued.popleft()
        self.buffers[index][:] = bytes([grey]) * 32
        now = time.perf_counter()
        stamp = SimpleNamespace(secs=int(now), usecs=int(now % 1 * 1e6))
        return SimpleNamespace(index=index, flags=flags, bytesused=used, sequence=sequence, timestamp=stamp)

    def stream_on(self, *_: Any) -> None:
        self.streaming = True

    def stream_off(self, *_: Any) -> None:
        self.streaming = False


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """The driver of every device in a test."""
    return FakeDriver(monkeypatch)


@pytest.fixture
def device(driver: FakeDriver, tmp_path: Path) -> Iterator[V4l2Device]:
    """An open device; a plain file does as its node."""
    (tmp_path / "video9").touch()
    with V4l2Device(str(tmp_path / "video9"), MODE, 30.0) as opened:
        yield opened


MONOTONIC = int(v4l2.BufferFlag.TIMESTAMP_MONOTONIC)


def test_of_several_pictures_the_newest_is_taken(driver: FakeDriver, device: V4l2Device) -> None:
    """Nothing older is ever shown, every buffer goes back to the driver, and nothing counts as lost."""
    driver.filled.extend([(0, 50, MONOTONIC, 32), (1, 60, MONOTONIC, 32)])
    picture = device.read(10)
    assert (picture.image.shape, int(picture.image.max()), picture.sequence) == ((4, 8, 3), 60, 1)
    assert len(driver.queued) == 2
    assert device.missing == 0
    driver.filled.append((4, 70, MONOTONIC, 32))
    device.read(10)
    assert device.missing == 2


def test_a_picture_keeps_its_bytes(driver: FakeDriver, device: V4l2Device) -> None:
    """The driver fills the buffer anew while the picture is still in use."""
    driver.filled.append((0, 50, MONOTONIC, 32))
    image = device.read(10).image
    driver.buffers[0][:] = driver.buffers[1][:] = bytes(32)
    assert int(image.min()) == 50


def test_the_time_is_the_camera_s_where_it_can_be_trusted(driver: FakeDriver, device: V4l2Device) -> None:
    """A stamp of this clock is taken as it is, one of another clock is not."""
    before = time.perf_counter()
    driver.filled.append((0, 50, 0, 32))
    assert before <= device.read(10).captured_at <= time.perf_counter()


def test_damaged_pictures_are_left_out(driver: FakeDriver, device: V4l2Device) -> None:
    """What the driver marks, and what is too short; when there is nothing else it is told."""
    bad = int(v4l2.BufferFlag.ERROR) | MONOTONIC
    driver.filled.append((0, 50, bad, 32))
    with pytest.raises(SourceLost, match="damaged pictures only"):
        device.read(0.3)
    driver.filled.append((1, 60, MONOTONIC, 5))
    with pytest.raises(SourceLost, match="damaged pictures only"):
        device.read(0.3)
    assert device.damaged == 2
    assert len(driver.queued) == 2


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENODEV, "was unplugged"), (errno.EIO, r"stopped delivering pictures \(Input/output error\)")],
)
def test_a_failing_device_says_why(driver: FakeDriver, device: V4l2Device, number: int, words: str) -> None:
    """Pulling the cable is told apart from a fault."""
    driver.error = OSError(number, "")
    with pytest.raises(SourceLost, match=words):
        device.read(10)


def test_a_stall_and_a_suspend_are_told_apart(
    driver: FakeDriver, device: V4l2Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that hangs must be replugged; one that slept with the computer comes back by itself."""
    with pytest.raises(SourceLost, match="hangs"):
        device.read(0.3)
    asleep = v4l2_device._asleep_s()
    monkeypatch.setattr(v4l2_device, "_asleep_s", lambda: asleep + 60)
    with pytest.raises(SourceLost, match="suspended"):
        device.read(0.3)


def test_closing_stops_the_stream_once(driver: FakeDriver, device: V4l2Device) -> None:
    """And frees the memory, though pictures of it live on."""
    driver.filled.append((0, 50, MONOTONIC, 32))
    picture = device.read(10)
    device.close()
    device.close()
    assert not driver.streaming
    assert all(buffer.closed for buffer in driver.buffers)
    assert np.all(picture.image == 50)


@pytest.mark.parametrize(
    ("space", "coding", "quantization", "luma", "full"),
    [
        ("DEFAULT", "DEFAULT", "DEFAULT", BT601, False),
        ("SRGB", "DEFAULT", "DEFAULT", BT601, False),
        ("REC709", "DEFAULT", "DEFAULT", BT709, False),
        ("REC709", "_601", "DEFAULT", BT601, False),
        ("SRGB", "_709", "FULL_RANGE", BT709, True),
        ("JPEG", "DEFAULT", "DEFAULT", BT601, True),
        ("JPEG", "DEFAULT", "LIM_RANGE", BT601, False),
        ("REC709", "XV709", "FULL_RANGE", BT709, False),
        ("SMPTE170M", "XV601", "FULL_RANGE", BT601, False),
    ],
)
def test_colours_are_what_v4l2_s_documentation_says(
    driver: FakeDriver,
    tmp_path: Path,
    space: str,
    coding: str,
    quantization: str,
    luma: tuple[float, float],
    full: bool,
) -> None:
    """What a driver leaves open follows from its colour space."""
    driver.pix.colorspace = v4l2.raw.Colorspace[space]
    driver.pix.ycbcr_enc = v4l2.raw.YcbcrEncoding[coding]
    driver.pix.quantization = v4l2.raw.Quantization[quantization]
    assert v4l2_device._layout(0) == Layout("GREY", 8, 4, 8, luma, full)


def test_modes_are_those_that_the_device_states(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fixed sizes as they are, of a range the wanted one, and a rate of nothing is no rate."""
    (tmp_path / "video9").touch()
    yuyv, mjpg = v4l2.PixelFormat.YUYV, v4l2.PixelFormat.MJPEG
    fixed = SimpleNamespace(type=v4l2.FrameSizeType.DISCRETE, info=SimpleNamespace(width=640, height=480))
    anything = SimpleNamespace(
        type=v4l2.FrameSizeType.STEPWISE,
        info=SimpleNamespace(min_width=2, max_width=1920, min_height=2, max_height=1080),
    )

    def intervals(fd: int, pixel_format: Any, width: int, height: int) -> Iterator[Any]:
        if pixel_format == mjpg:
            raise ZeroDivisionError
        yield SimpleNamespace(max_fps=15)
        yield SimpleNamespace(max_fps=30)

    formats = [SimpleNamespace(pixel_format=yuyv), SimpleNamespace(pixel_format=mjpg)]
    monkeypatch.setattr(v4l2, "iter_read_formats", lambda fd, what: formats)
    monkeypatch.setattr(v4l2, "iter_read_frame_sizes", lambda fd, form: [fixed] if form == yuyv else [anything])
    monkeypatch.setattr(v4l2, "iter_read_frame_intervals", intervals)
    path = str(tmp_path / "video9")
    assert modes_of(path, 1280, 720) == [Mode("YUYV", 640, 480, 30.0), Mode("MJPG", 1280, 720, 0.0)]
    assert modes_of(path)[1] == Mode("MJPG", 1920, 1080, 0.0)
