"""What is done of a render, on disk, so that it can be continued after any crash."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livefilter.cluster.recipe import Recipe
from livefilter.errors import ManifestUnusable
from livefilter.whole_file import read_plain, write_whole

_NAME, _JOURNAL = "manifest.json", "journal.jsonl"
_MOST = 1 << 28
_VERSION = 1
FILES = {_NAME, _JOURNAL}
# The folder in which unfinished results lie, beside the finished ones.
FOLDER = ".livefilter-render"


@dataclass
class Part:
    """A styled segment: its place in the video, the name of its file, and what it is."""

    place: int
    name: str
    sha256: str
    frames: int
    last_lasts_s: float


@dataclass
class Entry:
    """One file: its input as it was read, its result where it is done, and the segments that are.

    sha256, size: of the result, noted before it gets its name, so that it is known for ours whatever happens then.
    """

    source: str
    target: str
    input_sha256: str = ""
    input_size: int = 0
    input_modified_ns: int = 0
    done: bool = False
    sha256: str = ""
    size: int = 0
    frames: int = 0
    bad: list[str] = field(default_factory=list)
    notice: str | None = None
    spans: list[list[int | None]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


class Manifest:
    """The state of a render in the folder of its unfinished results.

    `save` writes all of it, whole or not at all; `note` adds what has changed of one file to a journal beside it, whose
    last line counts only if it is whole. So what a file costs does not grow with their number.

    folder: that folder. entries: by the path of the input, as it was given.
    """

    def __init__(self, folder: Path, recipe: Recipe, entries: dict[str, Entry] | None = None) -> None:
        self.folder = folder
        self.recipe = recipe.digest
        self.entries: dict[str, Entry] = entries or {}

    @classmethod
    def load(cls, folder: Path, recipe: Recipe) -> Manifest:
        """Read what an earlier render left.

        Raises: ManifestUnusable: there is nothing, it is damaged, or it was made with other settings.
        """
        path = folder / _NAME
        try:
            told = json.loads(read_plain(path, _MOST))
            body = told["body"]
            whole = told["sha256"] == _digest(body) and body["version"] == _VERSION
            entries = {one["source"]: _entry(one) for one in body["files"]} if whole else {}
        except FileNotFoundError:
            raise ManifestUnusable(f"There is nothing to resume: no {path}. Leave --resume out.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ManifestUnusable(f"{path} cannot be read: {error}. Delete {folder} and start anew.") from error
        if not whole:
            raise ManifestUnusable(f"{path} is damaged or of another version. Delete {folder} and start anew.")
        if body["recipe"] != recipe.digest:
            raise ManifestUnusable(
                f"{path} was made with other settings, or another version of livefilter. "
                f"Give the same ones, or delete {folder} and start anew."
            )
        entries |= {one.source: one for one in _journal(folder / _JOURNAL)}
        return cls(folder, recipe, entries)

    def save(self) -> None:
        """Write it to the disk. Raises: OSError."""
        files = [asdict(entry) for entry in self.entries.values()]
        body = {"version": _VERSION, "recipe": self.recipe, "files": files}
        text = json.dumps({"sha256": _digest(body), "body": body}, indent=1)
        write_whole(self.folder / _NAME, text.encode(), durable=True)
        (self.folder / _JOURNAL).unlink(missing_ok=True)

    def note(self, entry: Entry) -> None:
        """Write what is known of one file to the disk. Raises: OSError."""
        told = asdict(entry)
        line = json.dumps({"sha256": _digest(told), "file": told}) + "\n"
        file = os.open(self.folder / _JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
            os.fsync(file)
        finally:
            os.close(file)

    def remove(self) -> None:
        """Delete it: nothing is left to continue. Raises: OSError."""
        for name in (_NAME, _JOURNAL):
            (self.folder / name).unlink(missing_ok=True)


def _journal(path: Path) -> list[Entry]:
    """What was noted since the last `save`, oldest first; a line that is not whole ends it."""
    found: list[Entry] = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            if told["sha256"] != _digest(told["file"]):
                break
            found.append(_entry(told["file"]))
    except (OSError, ValueError, KeyError, TypeError):
        return found
    return found


def _entry(told: dict[str, Any]) -> Entry:
    parts = [Part(**part) for part in told.pop("parts")]
    if any(Path(part.name).name != part.name for part in parts):
        raise ValueError("a part lies outside of the folder")
    return Entry(**told, parts=parts)


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
