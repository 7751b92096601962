"""How commands are ended from outside."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# Windows has the first two alone.
_ENDS = ("SIGINT", "SIGTERM", "SIGHUP")


def ending_signals() -> list[int]:
    """What ends a live command: Ctrl-C, SIGTERM, and a terminal that is closed, but under `nohup`."""
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    return numbers


def forget_terminal() -> None:
    """Read and write nowhere where the terminal was: it is gone, and each use of it would be an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)


@contextmanager
def ends_like_ctrl_c() -> Iterator[threading.Event]:
    """SIGTERM and a terminal that is closed end the block as Ctrl-C does, by KeyboardInterrupt, so that it tidies up.

    What `nohup` and the like have switched off stays so. Yields: an event that is set with the first such signal:
    a library that is just being loaded may swallow the exception, as ONNX Runtime does.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()
        raise KeyboardInterrupt

    before = {}
    for name in _ENDS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, end)
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
