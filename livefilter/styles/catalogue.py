"""Finds the styles on this machine."""

from __future__ import annotations

import functools
import importlib.resources
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from livefilter.errors import StyleCorrupt, UnknownName
from livefilter.styles.card import CARD, Style, read_card
from livefilter.styles.network import Network

__all__ = ["BrokenStyle", "Catalogue", "Network", "Style", "user_folder"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokenStyle:
    """A style that was found but cannot be used, and why; `name` is its folder's."""

    name: str
    folder: Path
    reason: str


class Catalogue:
    """The styles that come with livefilter, those in the user's folder, and those in `extra` folders, in that order.

    Each style is a folder with a card. A broken one is listed in `broken` and hurts no other.

    styles: by the cards' `order`, then by name.
    """

    def __init__(self, extra: Iterable[Path] = (), *, bundled: Path | None = None, user: Path | None = None) -> None:
        self.styles: list[Style] = []
        self.broken: list[BrokenStyle] = []
        roots = [bundled or _bundled_folder(), user or user_folder(), *extra]
        for root in dict.fromkeys(root.absolute() for root in roots):
            self._search(root)
        self.styles.sort(key=lambda style: (style.order, style.name))

    def get(self, name: str) -> Style:
        """Look up a style by name.

        Raises: UnknownName: names the nearest one; StyleCorrupt: it is here but broken.
        """
        for style in self.styles:
            if style.name == name:
                return style
        for broken in self.broken:
            if broken.name == name:
                raise StyleCorrupt(broken.reason)
        known = [style.name for style in self.styles]
        # Keys choose styles by number, so people try that here.
        meant = known[int(name) - 1] if name.isascii() and name.isdigit() and 0 < int(name) <= len(known) else None
        raise UnknownName("style", name, known, meant)

    def choose(self, name: str, size: str = "auto", *, gpu: bool = False) -> tuple[Style, Network]:
        """Look up a style and the network of it that is to run, see Style.network; the file is verified.

        Raises: UnknownName; StyleCorrupt: the style is broken, or its file is not the one its card names.
        """
        style = self.get(name)
        network = style.network(size, gpu=gpu)
        network.verify()
        return style, network

    def _search(self, root: Path) -> None:
        try:
            folders = sorted(path.parent for path in root.glob(f"*/{CARD}")) if root.is_dir() else []
        except OSError as error:
            _warn_once(f"The folder of styles {root} cannot be read: {error.strerror}. Change its permissions.")
            return
        for folder in folders:
            try:
                style = read_card(folder)
                self._refuse_twin(style, folder)
            except StyleCorrupt as error:
                _warn_once(f"{error} The other styles are not touched by it.")
                self.broken.append(BrokenStyle(folder.name, folder, str(error)))
            else:
                self.styles.append(style)

    def _refuse_twin(self, style: Style, folder: Path) -> None:
        for known in self.styles:
            if known.name == style.name:
                raise StyleCorrupt(
                    f"Style card {folder / CARD} has the name {style.name!r}, which {known.folder} "
                    "has already. Give it another name."
                )


@functools.cache
def _warn_once(text: str) -> None:
    """Catalogues are made anew whenever the styles are looked at; what is broken is said once."""
    _log.warning("%s", text)


def user_folder() -> Path:
    """Where users put styles of their own, one folder each."""
    return Path(platformdirs.user_data_dir("livefilter", appauthor=False)) / "styles"


def _bundled_folder() -> Path:
    return Path(str(importlib.resources.files("livefilter.styles")))
