"""Finds the styles on this machine."""

from __future__ import annotations

import functools
import importlib.resources
import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from livefilter.errors import StyleCorrupt, UnknownName
from livefilter.styles.card import CARD, Style, read_card
from livefilter.styles.network import Network
from livefilter.styles.patience import within
from livefilter.user_folders import data_folder

__all__ = ["BrokenStyle", "Catalogue", "Network", "Style", "user_folder"]

# A folder of styles is read in milliseconds; one that waits for a share keeps a start waiting no longer than this.
_PATIENCE_S, _LEAST_S = 2.0, 0.05
_SHARE = "If it lies on a network share, connect that again."

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
        deadline = time.monotonic() + _PATIENCE_S

        def left_s() -> float:
            return max(_LEAST_S, deadline - time.monotonic())

        try:
            folders = within(root, lambda: sorted(root.iterdir()) if root.is_dir() else [], left_s())
        except TimeoutError:
            _warn_once(f"The folder of styles {root} does not answer, and its styles are left out. {_SHARE}")
            return
        except OSError as error:
            _warn_once(f"The folder of styles {root} cannot be read: {error.strerror}. Change its permissions.")
            return
        for folder in folders:
            try:
                style = within(folder, lambda: read_card(folder) if _has_card(folder) else None, left_s())  # noqa: B023
                if style is None:
                    continue
                self._refuse_twin(style, folder)
            except TimeoutError:
                reason = f"Style folder {folder} does not answer. {_SHARE}"
                _warn_once(f"{reason} The other styles are not touched by it.")
                self.broken.append(BrokenStyle(folder.name, folder, reason))
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


def _has_card(folder: Path) -> bool:
    return os.path.exists(folder / CARD)  # False also where looking is not allowed


@functools.cache
def _warn_once(text: str) -> None:
    """Catalogues are made anew whenever the styles are looked at; what is broken is said once."""
    _log.warning("%s", text)


def user_folder() -> Path:
    """Where users put styles of their own, one folder each."""
    return data_folder() / "styles"


def _bundled_folder() -> Path:
    return Path(str(importlib.resources.files("livefilter.styles")))
