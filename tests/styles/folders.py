"""Folders of styles."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CONTENT = b"not a real network"


def write_style(root: Path, folder: str, **changes: Any) -> Path:
    """Write a style into root/folder; an entry changed to None is left out of its card.

    networks: size -> entries to change of that network; by default there is a lite one.
    """
    path = root / folder
    path.mkdir(parents=True)
    entries: dict[str, Any] = {
        "name": folder,
        "title": folder.title(),
        "licence": "CC0-1.0",
        **changes,
    }
    networks = entries.pop("networks", {"lite": {}})
    lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items() if value is not None]
    for size, differing in networks.items():
        (path / f"{size}.onnx").write_bytes(CONTENT)
        network = {"file": f"{size}.onnx", "sha256": hashlib.sha256(CONTENT).hexdigest(), **differing}
        figures = network.pop("figures", None)
        lines += [f"[networks.{size}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in network.items() if value is not None]
        if isinstance(figures, dict):
            lines += [f"[networks.{size}.figures]", *(f"{key} = {value}" for key, value in figures.items())]
        elif figures is not None:
            lines += [f"figures = {figures}"]
    (path / "card.toml").write_text("\n".join(lines), encoding="utf-8")
    return path
