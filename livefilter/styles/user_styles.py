"""The styles in the user's folder: adds and removes them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from livefilter.errors import InvalidInput, StyleCorrupt
from livefilter.styles.card import CARD, NAME, Style, read_card
from livefilter.styles.card_writer import write_card
from livefilter.whole_file import write_whole


class UserStyles:
    """A folder of styles that belong to the user. A style is there once its card is, so nobody sees half of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Style | None:
        """The style of that name; None when there is none.

        Raises: InvalidInput: no style can have that name. StyleCorrupt: it is there and broken.
        """
        if not NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is no name for a style. Use a-z, 0-9, - and _, beginning with a-z or 0-9.")
        return read_card(self.folder / name) if (self.folder / name / CARD).exists() else None

    def add(self, style: Style, files: dict[str, bytes]) -> Path:
        """Write a style's files and then its card.

        style: complete, in a folder of its own name. files: what is to be written there, by name.
        Returns: the card.
        Raises: InvalidInput: the folder cannot be written; what was there stays as it was.
        """
        fresh = not (style.folder / CARD).exists()
        try:
            style.folder.mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                write_whole(style.folder / name, data)
            return write_card(style)
        except OSError as error:
            if fresh:
                _discard(style.folder, list(files))
            raise InvalidInput(f"Style {style.name} cannot be written to {style.folder}: {error.strerror}.") from error

    def remove(self, name: str) -> Path:
        """Delete a style: its card first, then the files that the card names, then the folder if nothing else is in it.

        Of a style that is linked here only the link goes.
        Returns: its folder.
        Raises: InvalidInput: there is no such style here, or it cannot be deleted.
        """
        folder = self.folder / name
        try:
            style = self.find(name)
        except StyleCorrupt as error:
            raise InvalidInput(f"Style {name} is broken: {error} Or delete {folder} yourself.") from error
        if style is None:
            raise InvalidInput(f"There is no style {name!r} in {self.folder}. See them: livefilter styles")
        if folder.is_symlink():
            # What the link points to is somebody's own folder.
            try:
                folder.unlink()
            except OSError as error:
                raise InvalidInput(f"Style {name} cannot be removed from {folder}: {error.strerror}.") from error
            return folder
        files = [network.path.name for network in style.networks.values()]
        if style.picture_path is not None:
            files.append(style.picture_path.name)
        try:
            (folder / CARD).unlink()
        except OSError as error:
            raise InvalidInput(f"Style {name} cannot be removed from {folder}: {error.strerror}.") from error
        _discard(folder, files)
        return folder


def _discard(folder: Path, files: list[str]) -> None:
    for name in files:
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it holds something else
        folder.rmdir()
