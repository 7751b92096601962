"""Files that only their owner may read or write: an engine is native code, so nobody else may have touched it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from livefilter.errors import BuildFailed, EngineMismatch

_BINARY: int = getattr(os, "O_BINARY", 0)
_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)  # or a named pipe in place of the file would be waited for
PARTIAL = ".partial"


def write_owned(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable and writable by its owner only.

    One process at a time may write one path: the caller holds a lock.
    Raises: BuildFailed: nothing is left of it.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        partial.unlink(missing_ok=True)  # of a build that was killed
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS | _BINARY, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BuildFailed(
                f"{path} cannot be written: {error.strerror or error}. "
                "Free some space or choose another folder with --engines."
            ) from error
        raise


def read_owned(path: Path) -> bytes:
    """Read a file that belongs to this user and that no other user can read or write; links are refused.

    On Windows the folder's own permissions guard it, and only its being a plain file is checked.
    Raises: EngineMismatch: a clause that follows "because", such as "it is missing".
    """
    try:
        file = os.open(path, os.O_RDONLY | _NO_LINKS | _NO_WAIT | _BINARY)
    except FileNotFoundError:
        raise EngineMismatch(f"{path.name} is missing") from None
    except OSError as error:
        raise EngineMismatch(f"{path.name} cannot be read ({error.strerror})") from error
    with os.fdopen(file, "rb") as stream:
        found = os.fstat(stream.fileno())  # of the open file: the path may be exchanged meanwhile
        if not stat.S_ISREG(found.st_mode):
            raise EngineMismatch(f"{path.name} is not a plain file")
        if hasattr(os, "geteuid"):
            if found.st_uid != os.geteuid():
                raise EngineMismatch(f"{path.name} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise EngineMismatch(f"{path.name} is open to other users (mode {stat.S_IMODE(found.st_mode):o})")
        return stream.read()
