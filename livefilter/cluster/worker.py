"""What works on one machine: it keeps its engine open and styles what it is given."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from livefilter import __version__
from livefilter.cluster.look import file_facts, file_sha256
from livefilter.cluster.recipe import Recipe, files_of
from livefilter.cluster.segments import CutFailed, join_segments, style_segment
from livefilter.cluster.tasks import Blame, Hello, Outcome, Task
from livefilter.errors import InvalidInput, LivefilterError, SourceError, StyleCorrupt
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.live.open_files import file_openers
from livefilter.render import Rendered, render_path
from livefilter.whole_file import unused_name

_log = logging.getLogger(__name__)
_SMALL = 64
_NONE = -1


class Worker:
    """Does tasks, one at a time; `progress` and `cancel` may be called meanwhile, from other threads.

    recipe: how to style. here: a file that the driver has put into the folder of results.
    Raises on construction: UnknownName, BackendUnavailable, StyleCorrupt, InvalidInput: this machine cannot style so.
    """

    def __init__(self, recipe: Recipe, here: str) -> None:
        config = recipe.config
        for name, sha256 in files_of(config, recipe.files).items():
            if sha256 != recipe.files[name]:
                raise StyleCorrupt(
                    f"{name} is not the same on {platform.node()} as where the command was given: another network or "
                    "another picture. Install the same livefilter and the same style there, and copy the picture."
                )
        self._recipe = recipe
        self._here = Path(here)
        self._stylist = ConfiguredStylist(config, shared=True, finds=recipe.finds)
        self._openers = file_openers(
            accept_damage=recipe.accept_damage, encoder_threads=recipe.encoder_threads, alpha=recipe.cuts_out
        )
        self._number, self._frames = _NONE, 0
        self._stopped: set[int] = set()
        self._changing = threading.Lock()

    def hello(self) -> Hello:
        """Style one small picture, and tell what this is."""
        self._stylist(np.full((_SMALL, _SMALL, 3), 127, np.uint8))
        info = self._stylist.engine_info
        backend, precision, device = (info.backend, info.precision, info.device) if info else ("", "", "")
        return Hello(platform.node(), __version__, backend, precision, device, self._here.exists())

    def progress(self) -> tuple[int, int]:
        """The number of the task in work, -1 for none, and how many of its frames are done."""
        return self._number, self._frames

    def cancel(self, number: int) -> None:
        """End a task early, now or when it comes."""
        with self._changing:
            self._stopped.add(number)

    def do(self, task: Task) -> Outcome:
        """Do one task to its end; what fails is told in the outcome, and leaves no file."""
        started = time.monotonic()
        self._number, self._frames = task.number, 0
        try:
            outcome = self._do(task)
        except _Stopped:
            outcome = Outcome(failed="It was stopped.", blame="stopped")
        except CutFailed as error:
            outcome = Outcome(failed=str(error), blame="cut")
        except (LivefilterError, OSError, MemoryError) as error:
            outcome = Outcome(failed=_line(error), blame=self._blame(task, error))
        except Exception as error:  # of a library: another machine may have another version of it
            _log.exception("Task %d failed", task.number)
            outcome = Outcome(failed=f"{type(error).__name__}: {_line(error)}", blame="worker")
        finally:
            self._number = _NONE
        return replace(outcome, seconds=time.monotonic() - started)

    def _do(self, task: Task) -> Outcome:
        with self._at_hand(task) as (source, target):
            if task.kind == "look":
                self._check_stopped()
                return Outcome(facts=file_facts(source, task.cut_s))
            partial = unused_name(target)
            try:
                outcome = self._make(task, source, partial)
            except BaseException:
                _sweep(partial)
                raise
            outcome = replace(outcome, path=str(partial), sha256=file_sha256(partial), size=partial.stat().st_size)
            return replace(outcome, data=partial.read_bytes()) if task.data is not None else outcome

    def _make(self, task: Task, source: Path, partial: Path) -> Outcome:
        if task.kind == "join":
            notice = join_segments(
                source, [Path(part) for part in task.parts], partial, self._recipe.tracks, task.last_lasts_s, self._seen
            )
            return Outcome(frames=task.frames, notice=notice)
        if task.kind == "segment" and task.span is not None:
            made = style_segment(source, task.span, partial, self._stylist, self._openers, self._seen)
            return Outcome(frames=made.frames, last_lasts_s=made.last_lasts_s, bad=made.bad)
        rendered: Rendered = render_path(
            source,
            partial,
            self._stylist,
            self._openers,
            transparency=self._recipe.transparency,
            tracks=self._recipe.tracks,
            report=lambda done, _total: self._seen(done),
        )
        return Outcome(frames=rendered.frames, bad=rendered.bad, notice=rendered.notice)

    def _seen(self, frames: int) -> None:
        self._frames = frames
        self._check_stopped()

    def _check_stopped(self) -> None:
        with self._changing:
            if self._number in self._stopped:
                raise _Stopped

    @contextlib.contextmanager
    def _at_hand(self, task: Task) -> Iterator[tuple[Path, Path]]:
        """Where the input lies and the result is to lie: where the task says, or in a folder of this machine alone."""
        if task.data is None:
            yield Path(task.source), Path(task.target)
            return
        with tempfile.TemporaryDirectory(prefix="livefilter-") as folder:
            source = Path(folder) / Path(task.source).name
            source.write_bytes(task.data)
            results = Path(folder) / "results"
            results.mkdir()
            yield source, results / Path(task.target).name

    def _blame(self, task: Task, error: BaseException) -> Blame:
        if task.data is None and not (os.path.exists(task.source) and self._here.exists()):
            return "reach"
        return "file" if isinstance(error, InvalidInput | SourceError) else "worker"


class _Stopped(BaseException):
    """The driver wants this task no more. A signal between stages, and no error that anybody handles."""


def _sweep(partial: Path) -> None:
    """Remove what a failed task has left under names made of its own."""
    for left in partial.parent.glob(f"{_escaped(partial.stem)}*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
