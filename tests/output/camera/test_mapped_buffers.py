"""Buffers stay marked as mapped, against a stand-in for v4l2loopback; a plain file does as the device."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("v4l2loopback is a part of Linux", allow_module_level=True)

from linuxpy.video import device as v4l2

from livefilter.errors import SinkUnavailable
from livefilter.output.camera.mapped_buffers import MappedBuffers

PAGE = mmap.PAGESIZE


class FakeDriver:
    """Answers as v4l2loopback does: any index below 32, counted around the `used` buffers of two pages each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
        device.write_bytes(bytes(8 * PAGE))
        self.used = 2
        self.length = 2 * PAGE
        self.mapped: list[int] = []
        self.marked: set[int] = set()
        monkeypatch.setattr(v4l2, "query_buffer", self.query_buffer)
        real = mmap.mmap

        def noted(fd: int, length: int, flags: int, prot: int, *, offset: int) -> Any:
            self.mapped.append(offset)
            self.marked.add(offset)
            return real(fd, length, flags, prot, offset=offset)

        monkeypatch.setattr(mmap, "mmap", noted)

    def query_buffer(self, fd: int, kind: Any, memory: Any, index: int) -> Any:
        if index >= 32:
            raise OSError(22, "Invalid argument")
        offset = index % self.used * self.length
        flags = v4l2.BufferFlag.MAPPED if offset in self.marked else v4l2.BufferFlag.QUEUED
        return SimpleNamespace(length=self.length, flags=flags, m=SimpleNamespace(offset=offset))


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """What stands for /dev/video10."""
    return tmp_path / "video10"


def test_only_buffers_without_the_mark_are_mapped(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """Once at first, again when the driver has forgotten, and also when a reader has changed their number."""
    driver = FakeDriver(monkeypatch, device)
    with MappedBuffers(str(device)) as buffers:
        buffers.mark()
        buffers.mark()
        assert driver.mapped == [0, 2 * PAGE]
        driver.marked.clear()
        buffers.mark()
        assert driver.mapped[2:] == [0, 2 * PAGE]
        driver.used = 3
        buffers.mark()
        assert driver.mapped[4:] == [4 * PAGE]


def test_a_driver_without_buffers_or_that_refuses_is_left_alone(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """Before the first frame there are no buffers, and later drivers may not let others map theirs."""
    driver = FakeDriver(monkeypatch, device)
    driver.length = 0
    with MappedBuffers(str(device)) as buffers:
        buffers.mark()
        assert driver.mapped == []
        driver.length = 2 * PAGE
        monkeypatch.setattr(mmap, "mmap", lambda *given, offset: (_ for _ in ()).throw(OSError(22, "Invalid argument")))
        buffers.mark()


def test_a_missing_device_is_named(device: Path) -> None:
    """The error says which device there is not."""
    with pytest.raises(SinkUnavailable, match=str(device)):
        MappedBuffers(str(device))


def test_closing_twice_is_fine(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    """The device is let go once."""
    FakeDriver(monkeypatch, device)
    buffers = MappedBuffers(str(device))
    buffers.close()
    buffers.close()
