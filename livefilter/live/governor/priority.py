"""Below-normal priority for the threads that infer, while a game runs."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from typing import Any

import psutil

_log = logging.getLogger(__name__)
_NICE = 5
# Windows' THREAD_PRIORITY_BELOW_NORMAL and THREAD_PRIORITY_NORMAL, and the right to set them.
_BELOW_NORMAL, _NORMAL = -1, 0
_SET_INFORMATION = 0x0020
# Engines that are opened later bring threads of their own.
_EVERY = 25


class Priority:
    """Lowers the inference thread and the runtimes' own threads, and gives them their priority back.

    Threads that Python started are left alone but for the inference thread: they capture, send and listen. On Linux
    only a privileged program may raise a priority again; where it may not, the log says so once. macOS has no such
    setting for a single thread that could be taken back, and is left alone. On Windows this was never run.
    """

    def __init__(self) -> None:
        self._low = False
        self._stuck = False
        self._calls = 0

    def follow(self, low: bool, inference_thread: int | None) -> None:
        """Make it so; cheap when nothing has changed. inference_thread: its native id."""
        self._calls += 1
        if inference_thread is None or sys.platform == "darwin":
            return
        if low == self._low and not (low and self._calls % _EVERY == 0):
            return
        self._low = low
        for thread in {inference_thread, *_native_threads()}:
            self._set(thread, low)

    def _set(self, thread: int, low: bool) -> None:
        try:
            if sys.platform == "win32":
                _set_windows_priority(thread, _BELOW_NORMAL if low else _NORMAL)
            else:
                os.setpriority(os.PRIO_PROCESS, thread, _NICE if low else 0)
        except PermissionError:
            if not self._stuck:
                self._stuck = True
                _log.warning(
                    "The system keeps the low priority of the inference threads until livefilter starts again."
                )
        except OSError:
            pass  # a thread that has ended meanwhile


def _native_threads() -> set[int]:
    """Threads of this process that Python knows nothing of: those of runtimes and drivers."""
    known = {thread.native_id for thread in threading.enumerate()} | {os.getpid()}
    return {thread.id for thread in psutil.Process().threads()} - {each for each in known if each is not None}


def _set_windows_priority(thread: int, priority: int) -> None:
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenThread(_SET_INFORMATION, False, thread)
    if not handle:
        raise OSError(f"thread {thread} is gone")
    try:
        kernel.SetThreadPriority(handle, priority)
    finally:
        kernel.CloseHandle(handle)
