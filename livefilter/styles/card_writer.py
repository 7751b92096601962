"""Writes the card of a style."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from livefilter.styles.accepts import Accepts
from livefilter.styles.card import CARD, Style
from livefilter.whole_file import write_whole

_Entry = str | int | float | list[int]
_FIGURES = "# Measured after training; share = part of the teacher's change that is captured."


def write_card(style: Style) -> Path:
    """Write the card of a style into its folder, whole or not at all; `read_card` reads it back as it was.

    Returns: the card's path.
    Raises: OSError.
    """
    entries: dict[str, _Entry] = {
        "name": style.name,
        "title": style.title,
        "description": style.description,
        "licence": style.licence,
        "credit": style.credit,
        "teacher": style.teacher,
        "order": style.order,
    }
    if style.best:
        entries["best"] = style.best
    if style.picture_path is not None:
        entries["picture"] = style.picture_path.name
    lines = _lines(entries)
    for network in style.networks.values():
        about: dict[str, _Entry] = {
            "file": network.path.name,
            "sha256": network.sha256,
            "int8_file": network.int8_path.name if network.int8_path is not None else "",
            "int8_sha256": network.int8_sha256,
            "parameters": network.parameters,
            "macs_per_pixel": network.macs_per_pixel,
            "training": network.training,
        }
        if network.accepts.size is not None:
            about["size"] = list(network.accepts.size)
        elif network.accepts != Accepts():
            about["multiple"] = network.accepts.multiple
        lines += ["", f"[networks.{network.size}]", *_lines(about)]
        if network.figures:
            lines += ["", _FIGURES, f"[networks.{network.size}.figures]", *_lines(network.figures)]
    path = style.folder / CARD
    write_whole(path, ("\n".join(lines) + "\n").encode())
    return path


def _lines(entries: Mapping[str, _Entry]) -> list[str]:
    # TOML's basic strings and numbers are written like JSON's. A number that is whole stands without a point.
    return [f"{key} = {json.dumps(_plain(value), ensure_ascii=False)}" for key, value in entries.items() if value != ""]


def _plain(value: _Entry) -> _Entry:
    return int(value) if isinstance(value, float) and value.is_integer() else value
