"""The card that comes with every trained generator."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from livefilter.errors import StyleCorrupt

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CARD = "card.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Style:
    """A trained generator, as its card describes it.

    name: what the user types; title: what the user reads.
    network_path: the ONNX file, whose SHA-256 must be `sha256` (64 lower-case hexadecimal digits).
    picture_path: a picture of the effect, if there is one.
    parameters: weights in the network. macs_per_pixel: multiply-accumulates for each pixel of a frame.
    order: place in lists, and the key 1 to 9 that chooses the style.
    figures: what was measured after training, by name.
    """

    name: str
    title: str
    licence: str
    network_path: Path
    sha256: str
    description: str = ""
    credit: str = ""
    teacher: str = ""
    picture_path: Path | None = None
    parameters: int = 0
    macs_per_pixel: float = 0.0
    training: str = ""
    order: int = 1000
    figures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def read_card(folder: Path) -> Style:
    """Read the card of the style in `folder`; its network is looked for but not opened.

    Raises: StyleCorrupt: names the card and the entry that is missing or wrong.
    """
    path = folder / CARD
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StyleCorrupt(f"Style card {path} cannot be read: {error.strerror}. Reinstall the style.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StyleCorrupt(
            f"Style card {path} is not valid TOML: {error}. Correct it or reinstall the style."
        ) from error
    card = _Entries(path, entries)
    picture = card.text("picture", "")
    style = Style(
        name=card.text("name"),
        title=card.text("title"),
        licence=card.text("licence"),
        network_path=card.file("network"),
        sha256=card.text("sha256").lower(),
        description=card.text("description", ""),
        credit=card.text("credit", ""),
        teacher=card.text("teacher", ""),
        picture_path=card.file("picture") if picture else None,
        parameters=int(card.number("parameters", 0)),
        macs_per_pixel=card.number("macs_per_pixel", 0),
        training=card.text("training", ""),
        order=int(card.number("order", 1000)),
        figures=MappingProxyType(card.figures()),
    )
    if not _NAME.fullmatch(style.name):
        raise card.wrong("name", f"{style.name!r} must be of a-z, 0-9, - and _")
    if not _SHA256.fullmatch(style.sha256):
        raise card.wrong("sha256", "it must be 64 hexadecimal digits")
    return style


class _Entries:
    """Typed access to a card's entries."""

    def __init__(self, path: Path, entries: dict[str, Any]) -> None:
        self._path = path
        self._entries = entries

    def wrong(self, key: str, why: str) -> StyleCorrupt:
        return StyleCorrupt(f"Style card {self._path} has no usable {key}: {why}. Correct it or reinstall the style.")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._entries.get(key, default)
        if value is None or (value == "" and default is None):
            raise self.wrong(key, "it is missing")
        if not isinstance(value, str):
            raise self.wrong(key, f"{value!r} must be text")
        return value

    def number(self, key: str, default: float) -> float:
        value = self._entries.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.wrong(key, f"{value!r} must be a number of at least 0")
        return value

    def file(self, key: str) -> Path:
        name = self.text(key)
        if Path(name).name != name or "\\" in name:  # a card must not point outside its own folder
            raise self.wrong(key, f"{name!r} must be the name of a file beside the card")
        path = self._path.parent / name
        if not path.is_file():
            raise self.wrong(key, f"there is no file {path}")
        return path

    def figures(self) -> dict[str, float]:
        figures = self._entries.get("figures", {})
        if not isinstance(figures, dict):
            raise self.wrong("figures", "it must be a table [figures]")
        return {
            name: value
            for name, value in figures.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
