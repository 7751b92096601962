"""What others on the network are told: names of files, and not where on this computer they lie."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from livefilter.user_folders import home_folder

# Folders of a path within a text, up to its last part; an address' slashes follow a colon, a name or each other.
_FOLDERS = re.compile(r"(?<![\w:/.\\*])(?:[A-Za-z]:[\\/]|~?/|\\\\)(?:[^\s\\/'\"]+[\\/])+(?=[^\s\\/])")
_INSIDE = r"[\\/](?:[^\s\\/'\"]+[\\/])*"  # and the folders in one that is known

Told = TypeVar("Told")


def names_only(told: Told, state: dict[str, Any], folders: Iterable[Path] = ()) -> Told:
    """What is told, safe for JSON, with the last part alone of every path.

    state: the room's, whose input and outputs are called by their paths. folders: others that are known to come up;
    names may hold spaces, which no pattern can tell from the text.
    """
    known = {str(folder) for folder in (*folders, home_folder(), Path.cwd()) if folder is not None}
    used = [state.get("input", {}).get("name", ""), *(each.get("name", "") for each in state.get("outputs", []))]
    # A source is called by its path, a recording "recording PATH".
    paths = [text[found.start() :] for text in used if (found := re.search(r"(?<!\S)(?:[A-Za-z]:[\\/]|/)", text))]
    known |= {ntpath.dirname(path) if "\\" in path else path.rpartition("/")[0] for path in paths}
    longest = sorted((folder for folder in known if len(folder) > 1), key=len, reverse=True)
    shown: Told = _without(told, [re.compile(re.escape(folder) + _INSIDE) for folder in longest])
    return shown


def _without(value: Any, folders: list[re.Pattern[str]]) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, folders) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, folders) for each in value]
    if not isinstance(value, str):
        return value
    for folder in folders:
        value = folder.sub("", value)
    return _FOLDERS.sub("", value)
