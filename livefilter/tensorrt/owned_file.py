"""Files that only their owner may read or write: an engine is native code, so nobody else may have touched it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from livefilter.errors import BuildFailed, EngineMismatch
from livefilter.whole_file import write_whole

_BINARY: int = getattr(os, "O_BINARY", 0)
_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)  # or a named pipe in place of the file would be waited for


def write_owned(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable and writable by its owner only.

    Raises: BuildFailed: nothing is left of it.
    """
    try:
        write_whole(path, data, private=True, durable=True)
    except OSError as error:
        raise BuildFailed(
            f"{path} cannot be written: {error.strerror or error}. "
            "Free some space or choose another folder with --engines."
        ) from error


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
