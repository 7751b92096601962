"""Looks into folders that may lie on a share which does not answer, and goes on without those."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_hanging: dict[Path, threading.Thread] = {}


def within(path: Path, look: Callable[[], T], wait_s: float) -> T:
    """What `look` finds at `path`, or raises, if it is done in time.

    A call of the system cannot be taken back: its thread is left behind, and while it hangs the path is left alone.
    Raises: TimeoutError: the path does not answer.
    """
    hanging = _hanging.get(path)
    if hanging is not None and hanging.is_alive():
        raise TimeoutError
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(look())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="style-search", daemon=True)
    thread.start()
    thread.join(wait_s)
    if thread.is_alive():
        _hanging[path] = thread
        raise TimeoutError
    _hanging.pop(path, None)
    if failed:
        raise failed[0]
    return found[0]
