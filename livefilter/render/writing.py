"""Results get their names once they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livefilter import whole_file
from livefilter.errors import InvalidInput, SinkUnavailable


@contextmanager
def paths_told(source: Path, target: Path) -> Iterator[None]:
    """What the system says against two paths, such as a name that is too long or a folder that may not be looked into.

    Raises: InvalidInput.
    """
    try:
        yield
    except OSError as error:
        raise InvalidInput(f"Cannot read {source} or write {target}: {reason(error)}. Check both paths.") from error


def require_source(source: Path) -> None:
    """Raises: InvalidInput: there is nothing of this name."""
    if not source.exists():
        raise InvalidInput(f"There is no file or folder {source}: check the path.")


def target_of(source: Path, target: Path) -> Path:
    """Where the result of a file goes: `target`, or the same name in it if that is a folder.

    Raises: InvalidInput: it would replace the source. SinkUnavailable: there is no such folder.
    """
    if target.is_dir():
        target /= source.name
    if whole_file.is_one_file(source, target):
        raise InvalidInput(f"{target} cannot be both what is read and what is written: name another output.")
    if not target.parent.is_dir():
        raise SinkUnavailable(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    return target


def write(target: Path, content: bytes, overwrite: bool) -> None:
    """Write a file that is there completely or not at all.

    Raises: SinkUnavailable.
    """
    try:
        whole_file.write_whole(target, content, overwrite=overwrite)
    except FileExistsError as error:
        raise SinkUnavailable(f"{target} appeared meanwhile and is left as it is. Choose another name.") from error
    except OSError as error:
        raise SinkUnavailable(f"Cannot write {target}: {reason(error)}. Choose another folder.") from error


def put_in_place(partial: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name.

    Raises: SinkUnavailable.
    """
    try:
        whole_file.put_in_place(partial, target, overwrite=overwrite)
    except FileExistsError as error:
        raise SinkUnavailable(
            f"{target} appeared meanwhile; the result is in {partial}. Rename it as you like."
        ) from error
    except OSError as error:
        raise SinkUnavailable(f"Cannot write {target}: {reason(error)}. The result is in {partial}.") from error


def check_free(target: Path, overwrite: bool) -> None:
    """Refuse a name that is taken.

    Raises: SinkUnavailable.
    """
    if os.path.lexists(target) and not overwrite:  # also a link that leads nowhere
        raise SinkUnavailable(f"{target} exists already: choose another name, or replace it with --overwrite.")


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    return (error.strerror or type(error).__name__).lower()
