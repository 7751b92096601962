"""How a command that writes files is ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has the first two alone.
_ENDS = ("SIGINT", "SIGTERM", "SIGHUP")


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
