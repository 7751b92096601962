"""What has to outlive a run, or its crash: offsets that were changed in OBS, and what a calibration found."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

from livefilter.user_folders import state_folder
from livefilter.whole_file import read_plain, write_whole

_log = logging.getLogger(__name__)
_MOST_BYTES = 256 * 1024


def memory_path() -> Path:
    """Where it lies, in the system's folder for the state of programs."""
    return state_folder() / "obs.json"


class Memory:
    """A small file; one that is missing or damaged counts as empty, and one that cannot be written is told of once."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or memory_path()
        self._told = False

    def offset(self, address: str, name: str) -> tuple[int, frozenset[int]] | None:
        """Of an input of an OBS: the user's own offset, and what OBS may have instead; None when nothing is changed."""
        found = self._read("offsets").get(f"{address} {name}")
        if not isinstance(found, list) or len(found) < 2 or not all(isinstance(each, int) for each in found):
            return None
        return found[0], frozenset(found[1:])

    def keep_offset(self, address: str, name: str, users_ms: int, *set_ms: int) -> None:
        """Note offsets before they are set, and the one before them: nobody knows where a crash comes in between."""
        self._change("offsets", f"{address} {name}", [users_ms, *set_ms])

    def forget_offset(self, address: str, name: str) -> None:
        """Note that an offset is the user's own again."""
        if f"{address} {name}" in self._read("offsets"):
            self._change("offsets", f"{address} {name}", None)

    def path_ms(self, way: str) -> float | None:
        """What a calibration found for a way into OBS, in milliseconds."""
        found = self._read("ways").get(way)
        if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
            return None
        return float(found)

    def keep_path(self, way: str, path_ms: float) -> None:
        """Note what a calibration found."""
        self._change("ways", way, round(path_ms, 1))

    def _all(self) -> dict[str, Any]:
        try:
            found = json.loads(read_plain(self._path, _MOST_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _log.debug("%s counts as empty: %s", self._path, error)
            return {}
        return found if isinstance(found, dict) else {}

    def _read(self, table: str) -> dict[str, Any]:
        found = self._all().get(table)
        return found if isinstance(found, dict) else {}

    def _change(self, table: str, key: str, value: Any) -> None:
        content = self._all()
        content[table] = {**self._read(table), key: value}
        if value is None:
            del content[table][key]
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(content, indent=1).encode(), private=True)
        except OSError as error:
            if not self._told:
                _log.warning(
                    "%s cannot be written: %s. After a crash OBS's sound offset would stay as livefilter set it.",
                    self._path, error.strerror,
                )  # fmt: skip
            self._told = True
