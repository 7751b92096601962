"""Files that appear whole or not at all: the one way in which this project writes what somebody may read meanwhile.

What is not complete yet lies in the same folder under a name that nobody can guess, is made anew (never opened, never
through a link) and is removed by whoever made it. So no file of the user's can be in its way.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Between the name and the random part; what is left of a killed program is found by it.
PARTIAL = ".partial-"
_LONGEST_STEM = 200  # in bytes: file systems take 255 in all
_BINARY: int = getattr(os, "O_BINARY", 0)
_NO_LINKS: int = getattr(os, "O_NOFOLLOW", 0)
# What systems say whose files have one name only.
_NO_HARD_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EACCES, errno.EINVAL}


def unused_name(path: Path) -> Path:
    """A name beside `path`, with its ending, that no file has and nobody can guess: NAME.partial-XXXX.SUFFIX.

    Whoever opens it must make it anew (mode "x").
    """
    stem = path.stem
    while len(stem.encode()) > _LONGEST_STEM:
        stem = stem[:-1]
    return path.with_name(f"{stem}{PARTIAL}{secrets.token_hex(8)}{path.suffix}")


@contextlib.contextmanager
def replacing(
    path: Path, *, overwrite: bool = True, private: bool = False, durable: bool = False
) -> Iterator[BinaryIO]:
    """A file to write into that gets its name when the block ends; after an error it is removed and all is as it was.

    A link in its place is replaced, and what it points to is left alone. A file that is replaced hands on its mode.
    overwrite: replace what is there. private: only the owner may read and write it. durable: on the disk at the end.
    Raises: FileExistsError: something is there and `overwrite` is False. OSError.
    """
    partial = unused_name(path)
    mode = 0o600 if private else 0o666
    file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS | _BINARY, mode)
    try:
        with os.fdopen(file, "wb") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        put_in_place(partial, path, overwrite=overwrite, keep_mode=not private)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_whole(
    path: Path, data: bytes, *, overwrite: bool = True, private: bool = False, durable: bool = False
) -> None:
    """Write a file whole or not at all, as `replacing` does."""
    with replacing(path, overwrite=overwrite, private=private, durable=durable) as stream:
        stream.write(data)


def put_in_place(partial: Path, path: Path, *, overwrite: bool, keep_mode: bool = True) -> None:
    """Give a complete file its name; another file may come to have that name at any moment, and is then kept.

    Raises: FileExistsError: something has the name and `overwrite` is False; `partial` stays. OSError.
    """
    if overwrite:
        if keep_mode:
            _hand_on_mode(path, partial)
        os.replace(partial, path)
        return
    if os.name == "nt":
        os.rename(partial, path)  # fails where something is
        return
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(partial, path)
    else:
        partial.unlink()


def read_plain(path: Path, most: int) -> bytes:
    """The bytes of a plain file, in one reading; nothing that would wait or never end is read (a pipe, a device).

    most: bytes that the file may have.
    Raises: OSError: it cannot be read, is no plain file or is larger; `strerror` says so in a few words.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    with os.fdopen(file, "rb") as stream:
        found = os.fstat(stream.fileno())  # of the open file: the path may be exchanged meanwhile
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        data = stream.read(min(found.st_size, most) + 1)  # this much memory is set aside
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def is_one_file(first: Path, second: Path) -> bool:
    """Whether two names are of one file or folder: through a link, a hard link, or another case where that is the same.

    False where one of them does not exist.
    """
    try:
        return first.samefile(second)
    except OSError:
        return False


def _hand_on_mode(path: Path, partial: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and os.name != "nt":
            partial.chmod(stat.S_IMODE(found.st_mode) & 0o777)
