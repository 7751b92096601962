"""Folders of styles."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CONTENT = b"not a real network"


def write_style(root: Path, folder: str, **changes: Any) -> Path:
    """Write a style into root/folder; an entry changed to None is left out of its card."""
    path = root / folder
    path.mkdir(parents=True)
    (path / "network.onnx").write_bytes(CONTENT)
    entries: dict[str, Any] = {
        "name": folder,
        "title": folder.title(),
        "licence": "CC0-1.0",
        "network": "network.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        **changes,
    }
    tables = {key: entries.pop(key) for key in list(entries) if isinstance(entries[key], dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items() if value is not None]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    (path / "card.toml").write_text("\n".join(lines), encoding="utf-8")
    return path
