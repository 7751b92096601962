"""Results get their names once they are complete."""

from __future__ import annotations

import os
from pathlib import Path

from livefilter import whole_file
from livefilter.errors import SinkUnavailable


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
