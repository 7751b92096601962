"""Where unfinished results lie until they are whole: a folder beside the finished ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

from livefilter.cluster.look import file_sha256
from livefilter.cluster.manifest import FILES, FOLDER, Entry, Manifest, Part
from livefilter.cluster.recipe import Recipe
from livefilter.errors import ManifestUnusable, SinkUnavailable
from livefilter.render.writing import reason
from livefilter.whole_file import unused_name, write_whole

_HERE = "here"


class WorkFolder:
    """A folder in the folder of results, with the manifest and what is unfinished.

    results: the folder that takes the finished files. resume: go on with what an earlier render left there.
    manifest: what is known of each file. here: a file by which a worker sees that it reaches this folder.
    Raises on construction: ManifestUnusable, SinkUnavailable.
    """

    def __init__(self, results: Path, recipe: Recipe, *, resume: bool) -> None:
        self.path = results / FOLDER
        if resume:
            self.manifest = Manifest.load(self.path, recipe)
        else:
            self._make()
            self.manifest = Manifest(self.path, recipe)
        self.here = unused_name(self.path / _HERE)
        self.save()
        try:
            write_whole(self.here, b"livefilter", overwrite=False)
        except OSError as error:
            raise SinkUnavailable(f"Cannot write into {self.path}: {reason(error)}.") from error
        self.sweep()

    def save(self) -> None:
        """Write the manifest. Raises: SinkUnavailable."""
        try:
            self.manifest.save()
        except OSError as error:
            raise SinkUnavailable(f"Cannot write into {self.path}: {reason(error)}. Make room there.") from error

    def note(self, entry: Entry) -> None:
        """Write what has changed of one file. Raises: SinkUnavailable."""
        try:
            self.manifest.note(entry)
        except OSError as error:
            raise SinkUnavailable(f"Cannot write into {self.path}: {reason(error)}. Make room there.") from error

    def holds(self, part: Part) -> bool:
        """Whether a segment lies there as it was made."""
        try:
            return file_sha256(self.path / part.name) == part.sha256
        except OSError:
            return False

    def result_is(self, entry: Entry) -> bool:
        """Whether the file in the place of a result is what was made."""
        try:
            return bool(entry.sha256) and file_sha256(Path(entry.target)) == entry.sha256
        except OSError:
            return False

    def sweep(self) -> None:
        """Remove all that the manifest does not know of."""
        known = {part.name for entry in self.manifest.entries.values() for part in entry.parts}
        with contextlib.suppress(OSError):
            for found in self.path.iterdir():
                if found.name not in known | FILES | {self.here.name} and found.is_file():
                    found.unlink()

    def close(self, *, finished: bool) -> None:
        """Remove what nobody needs any more; all of it when everything is finished."""
        with contextlib.suppress(OSError):
            self.here.unlink(missing_ok=True)
        if not finished:
            self.sweep()
            return
        with contextlib.suppress(OSError):
            self.manifest.entries.clear()
            self.sweep()
            self.manifest.remove()
            self.path.rmdir()

    def _make(self) -> None:
        try:
            self.path.mkdir()
        except FileExistsError:
            raise ManifestUnusable(
                f"{self.path} is what an unfinished render left: go on with it by --resume, or delete it."
            ) from None
        except OSError as error:
            raise SinkUnavailable(f"Cannot create {self.path}: {reason(error)}. Choose another folder.") from error
