"""Results get their names once they are complete."""

from __future__ import annotations

import os
from pathlib import Path

from livefilter.errors import SinkUnavailable


def write_whole(target: Path, content: bytes, overwrite: bool) -> None:
    """Write a file that is there completely or not at all.

    Raises: SinkUnavailable.
    """
    partial = target.with_name(f"{target.stem}.partial{target.suffix}")
    try:
        partial.write_bytes(content)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SinkUnavailable(f"Cannot write {target}: {reason(error)}. Choose another folder.") from error
    put_in_place(partial, target, overwrite)


def put_in_place(partial: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name.

    Raises: SinkUnavailable.
    """
    if target.exists() and not overwrite:
        raise SinkUnavailable(f"{target} appeared meanwhile; the result is in {partial}. Rename it as you like.")
    try:
        os.replace(partial, target)
    except OSError as error:
        raise SinkUnavailable(f"Cannot write {target}: {reason(error)}. The result is in {partial}.") from error


def check_free(target: Path, overwrite: bool) -> None:
    """Refuse a name that is taken.

    Raises: SinkUnavailable.
    """
    if target.exists() and not overwrite:
        raise SinkUnavailable(f"{target} exists already: choose another name, or replace it with --overwrite.")


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    return (error.strerror or type(error).__name__).lower()
