"""The card that comes with every trained generator."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from livefilter.errors import StyleCorrupt, UnknownName
from livefilter.styles.accepts import Accepts
from livefilter.styles.network import SIZES, Network
from livefilter.text import printable, shown
from livefilter.toml import tomllib
from livefilter.whole_file import read_plain

CARD = "card.toml"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
# A card has a few thousand bytes, no number on one is larger, and no picture has a longer side.
_MOST_BYTES = 1 << 18
_MOST = 1e15
_LONGEST_SIDE = 16384
_SHA256 = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Style:
    """A trained generator in one or two sizes, as its card describes it.

    name: what the user types; title: what the user reads. folder: where its card lies.
    networks: by size, "lite" and "full"; at least one of them.
    picture_path: a picture of the effect, if there is one.
    order: place in lists, and the key 1 to 9 that chooses the style.
    best: the network that "auto" takes everywhere, where one size looks better than the other; empty where `full` does.
    """

    name: str
    title: str
    licence: str
    folder: Path
    networks: Mapping[str, Network]
    description: str = ""
    credit: str = ""
    teacher: str = ""
    picture_path: Path | None = None
    order: int = 1000
    best: str = ""

    def network(self, size: str = "auto", *, gpu: bool = False) -> Network:
        """Pick a network; a style that has only one gives that, and says so once if another was named.

        size: "lite", "full", or "auto": the card's `best`, else full on a GPU, lite elsewhere.
        gpu: whether it is going to run on one.
        Raises: UnknownName: no such size.
        """
        if size not in ("auto", *SIZES):
            raise UnknownName("network size", size, ("auto", *SIZES))
        wanted = size if size != "auto" else self.best or ("full" if gpu else "lite")
        if wanted in self.networks:
            return self.networks[wanted]
        (only,) = self.networks.values()
        if size != "auto":
            _say_once(f"Style {self.name} has no {size} network; its {only.size} one is used.")
        return only


@functools.cache
def _say_once(text: str) -> None:
    _log.warning("%s", text)


def read_card(folder: Path) -> Style:
    """Read the card of the style in `folder`; its network is looked for but not opened.

    Raises: StyleCorrupt: names the card and the entry that is missing or wrong, or what the folder lacks.
    """
    path = folder / CARD
    try:
        entries = tomllib.loads(read_plain(path, _MOST_BYTES).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StyleCorrupt(
            f"{folder} is no style: {_lacking(folder)}. Name the folder of a style, which holds {CARD} and the "
            "networks that this names."
        ) from error
    except OSError as error:
        raise StyleCorrupt(f"Style card {path} cannot be read: {error.strerror}. Reinstall the style.") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of a number with thousands of digits
        raise StyleCorrupt(
            f"Style card {path} is not valid TOML: {error}. Correct it or reinstall the style."
        ) from error
    card = _Entries(path, entries)
    name = card.text("name")
    if not NAME.fullmatch(name):
        raise card.wrong("name", f"{shown(name)} must be of a-z, 0-9, - and _")
    picture = card.text("picture", "")
    networks = {size: _network(name, size, table) for size, table in card.networks().items()}
    best = card.text("best", "")
    if best and best not in networks:
        raise card.wrong("best", f"{shown(best)} must be one of: {', '.join(networks)}")
    return Style(
        name=name,
        title=card.text("title"),
        licence=card.text("licence"),
        folder=folder,
        networks=MappingProxyType(networks),
        description=card.text("description", ""),
        credit=card.text("credit", ""),
        teacher=card.text("teacher", ""),
        picture_path=card.file("picture") if picture else None,
        order=int(card.number("order", 1000)),
        best=best,
    )


def _lacking(folder: Path) -> str:
    if folder.is_dir():
        return f"there is no {CARD} in this folder"
    return "it is a file" if folder.exists() else "there is no such folder"


def _network(style: str, size: str, table: _Entries) -> Network:
    int8 = table.text("int8_file", "") != ""
    return Network(
        style=style,
        size=size,
        path=table.file("file"),
        sha256=table.checksum("sha256"),
        int8_path=table.file("int8_file") if int8 else None,
        int8_sha256=table.checksum("int8_sha256") if int8 else "",
        parameters=int(table.number("parameters", 0)),
        macs_per_pixel=table.number("macs_per_pixel", 0),
        accepts=table.accepts(),
        training=table.text("training", ""),
        figures=MappingProxyType(table.figures()),
    )


class _Entries:
    """Typed access to the entries of a card or of one of its tables, whose name then stands in `prefix`."""

    def __init__(self, path: Path, entries: dict[str, Any], prefix: str = "") -> None:
        self._path = path
        self._entries = entries
        self._prefix = prefix

    def wrong(self, key: str, why: str) -> StyleCorrupt:
        return StyleCorrupt(
            f"Style card {self._path} has no usable {self._prefix}{key}: {why}. Correct it or reinstall the style."
        )

    def networks(self) -> dict[str, _Entries]:
        tables = self._entries.get("networks")
        if not isinstance(tables, dict) or not tables:
            raise self.wrong("networks", "it needs a table [networks.lite] or [networks.full]")
        for size, table in tables.items():
            if size not in SIZES or not isinstance(table, dict):
                raise self.wrong(f"networks.{size}", f"it must be a table of one of: {', '.join(SIZES)}")
        found = {size: tables[size] for size in SIZES if size in tables}
        return {size: _Entries(self._path, table, f"networks.{size}.") for size, table in found.items()}

    def text(self, key: str, default: str | None = None) -> str:
        value = self._entries.get(key, default)
        if value is None or (value == "" and default is None):
            raise self.wrong(key, "it is missing")
        if not isinstance(value, str):
            raise self.wrong(key, f"{shown(value)} must be text")
        return printable(value)

    def checksum(self, key: str) -> str:
        found = self.text(key).lower()
        if not _SHA256.fullmatch(found):
            raise self.wrong(key, "it must be 64 hexadecimal digits")
        return found

    def number(self, key: str, default: float) -> float:
        value = self._entries.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
            raise self.wrong(key, f"{shown(value)} must be a number from 0 to {_MOST:.0e}")
        return value

    def file(self, key: str) -> Path:
        name = self.text(key)
        if Path(name).name != name or "\\" in name:  # a card must not point outside its own folder
            raise self.wrong(key, f"{shown(name)} must be the name of a file beside the card")
        path = self._path.parent / name
        if not path.is_file():
            raise self.wrong(key, f"there is no file {path}")
        return path

    def accepts(self) -> Accepts:
        size = self._entries.get("size")
        if size is not None and not (isinstance(size, list) and len(size) == 2 and all(map(_is_side, size))):
            raise self.wrong("size", f"{shown(size)} must be a width and a height, multiples of 8")
        multiple = self._entries.get("multiple", 8)
        if not _is_side(multiple):
            raise self.wrong("multiple", f"{shown(multiple)} must be a multiple of 8")
        return Accepts(multiple, (size[0], size[1]) if size else None)

    def figures(self) -> dict[str, float]:
        figures = self._entries.get("figures", {})
        if not isinstance(figures, dict):
            raise self.wrong("figures", "it must be a table")
        return {
            name: value
            for name, value in figures.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
        }


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_SIDE and value % 8 == 0
