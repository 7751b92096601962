"""Closing what another thread reads from."""

from __future__ import annotations

import threading

import pytest

from livefilter.capture.lease import Lease
from livefilter.errors import SourceError


def test_an_unused_device_is_freed_at_once_and_only_once() -> None:
    """Closing twice frees once."""
    freed: list[str] = []
    lease = Lease("camera", lambda: freed.append("freed"))
    lease.close()
    lease.close()
    assert freed == ["freed"]


def test_a_device_in_use_is_freed_by_its_reader() -> None:
    """Nothing is freed under a thread that still reads from it."""
    freed_by: list[str] = []
    lease = Lease("camera", lambda: freed_by.append(threading.current_thread().name))
    reading, closed = threading.Event(), threading.Event()

    def reads() -> None:
        with lease:
            reading.set()
            closed.wait(60)

    reader = threading.Thread(target=reads, name="reader", daemon=True)
    reader.start()
    assert reading.wait(60)
    lease.close()
    assert freed_by == []
    closed.set()
    reader.join(60)
    assert freed_by == ["reader"]


def test_a_closed_device_cannot_be_used() -> None:
    """The error names it."""
    lease = Lease("camera 3", lambda: None)
    lease.close()
    with pytest.raises(SourceError, match="camera 3 was closed"), lease:
        pass
    with pytest.raises(SourceError, match="camera 3 was closed"):
        lease.wait(3600)
