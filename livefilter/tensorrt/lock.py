"""One builder at a time for one engine, across processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from livefilter.errors import BuildCancelled, BuildFailed

_POLL_S = 0.2


@contextmanager
def engine_lock(path: Path, say: Callable[[str], None], cancelled: Callable[[], bool]) -> Iterator[bool]:
    """Hold the lock file; yields whether another process had to be waited for.

    The system frees the lock of a process that is killed.
    Raises: BuildFailed: the folder cannot be written. BuildCancelled: while waiting.
    """
    lock = filelock.FileLock(path, mode=0o600)
    waited = False
    while True:
        try:
            lock.acquire(timeout=_POLL_S if waited else 0, poll_interval=_POLL_S / 2)
            break
        except filelock.Timeout:
            if not waited:
                say("Another process is building this engine; waiting for it.")
            waited = True
        except OSError as error:
            raise BuildFailed(
                f"The engine folder {path.parent} cannot be written: {error.strerror or error}. "
                "Choose another with --engines."
            ) from error
        if cancelled():
            raise BuildCancelled("The build was cancelled while it waited for another process.")
    try:
        yield waited
    finally:
        lock.release()


def is_free(path: Path) -> bool:
    """Whether no process holds this lock file."""
    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except (filelock.Timeout, OSError):
        return False
    lock.release()
    return True
