"""Closing a device that another thread may still be reading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from livefilter.errors import SourceError


class Lease:
    """Holds an open device so that nothing frees it under its reader: of reader and closer, the last one frees it.

    Used as `with lease:` around every use of the device, by one thread at a time.
    """

    def __init__(self, name: str, free: Callable[[], None]) -> None:
        self._name = name
        self._free = free
        self._lock = threading.Lock()
        self._in_use = False
        self._closing = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, unless the device is closed meanwhile.

        Raises: SourceError: it was closed.
        """
        if self._closing.wait(max(seconds, 0.0)):
            raise self._closed()

    def close(self) -> None:
        """Free the device now, or when its reader lets go of it. Can be called twice."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            if self._in_use:
                return
        self._free()

    def __enter__(self) -> None:
        with self._lock:
            if self._closing.is_set():
                raise self._closed()
            self._in_use = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with self._lock:
            self._in_use = False
            if not self._closing.is_set():
                return
        self._free()

    def _closed(self) -> SourceError:
        return SourceError(f"{self._name} was closed, so it gives no more frames.")
