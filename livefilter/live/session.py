"""A live run as seen from the main thread: keys in, wishes made true, nothing here ever holds up a stage."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import cv2

from livefilter.control.controller import Controller, help_lines
from livefilter.control.parts import TRANSPARENT
from livefilter.control.settings import SharedSettings
from livefilter.errors import LivefilterError, NameTaken, SinkLost
from livefilter.live.pipeline import Pipeline
from livefilter.nv12 import nv12_to_bgr
from livefilter.output.base import Sink

_log = logging.getLogger(__name__)
_PLAIN = ".mp4"
_Opened = TypeVar("_Opened")
_MOST_NAMES = 1000  # of one second


class Keys(Protocol):
    """Where keys come from, as livefilter.control.terminal.TerminalKeys is."""

    def read(self) -> list[str]: ...


class Preview(Protocol):
    """A preview window, as livefilter.output.screen.window.WindowSink is."""

    mirror: bool
    overlay_lines: list[str]

    def pump(self, timeout_ms: int) -> list[str]: ...


class LiveSession:
    """Carries out what the shared settings ask for beyond the frame: recording, snapshots, help, the end.

    open_recording: opens a sink on a path. folder: where recordings and snapshots go.
    recorded: what became of each recording that was asked for and is over, in words.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        settings: SharedSettings,
        controller: Controller,
        open_recording: Callable[[Path], Sink],
        folder: Path,
        keys: Keys,
        preview: Preview | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._controller = controller
        self._open_recording = open_recording
        self._folder = folder
        self._keys = keys
        self._preview = preview
        self._recording: tuple[Sink, Path] | None = None
        self._snapshots_taken = settings.current.snapshots
        self.recorded: list[str] = []
        self._green_told = False

    def tick(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s`, handle what happened; False when the run is over."""
        keys: Iterable[str] = self._keys.read()
        wanted = self._settings.current
        if self._preview is not None:
            self._preview.mirror = wanted.mirror
            self._preview.overlay_lines = help_lines() if wanted.help else []
            keys = [*keys, *self._pump(self._preview, timeout_s)]
            over = self._pipeline.wait(0)
        else:
            over = self._pipeline.wait(timeout_s)
        for key in keys:
            self._controller.press(key)
        self._follow_recording()
        self._follow_snapshots()
        return not (over or self._settings.current.quitting)

    def close(self) -> None:
        """Finish a recording that is still running, and forget what is timed. Can be called twice."""
        self._controller.close()
        self._settings.change(recording=False)
        self._follow_recording()

    def _pump(self, preview: Preview, timeout_s: float) -> list[str]:
        try:
            return preview.pump(max(1, int(timeout_s * 1000)))
        except SinkLost as error:
            self._preview = None
            if isinstance(preview, Sink):
                self._pipeline.outputs.fail(preview, error)
            return []

    def _follow_recording(self) -> None:
        wanted = self._settings.current.recording
        outputs = self._pipeline.outputs
        if self._recording is not None and not outputs.has(self._recording[0]):
            self._recording = None  # it failed; the outputs have said so, and finish the file
            self._settings.change(recording=False)
        elif self._recording is not None and not wanted:
            (recording, path), self._recording = self._recording, None
            try:
                outputs.remove(recording)
                recording.close()
                self.recorded.append(f"Recorded {path}")
            except LivefilterError as error:
                self.recorded.append(f"Recording stopped: {error}")
            self._notify(self.recorded[-1])
        elif self._recording is None and wanted:
            try:
                # Of the files that keep a transparent room, players know this one.
                suffix = ".webm" if self._settings.current.room == TRANSPARENT else _PLAIN
                recording, path = self._open_new(suffix, self._open_recording)
            except (LivefilterError, OSError) as error:
                self._settings.change(recording=False)
                self._notify(f"Recording could not start{self._why(error)}")
            else:
                self._recording = (recording, path)
                self._notify(f"Recording to {path}")
                self._green_told = False
                outputs.add(recording)
        elif self._recording is not None and self._settings.current.room == TRANSPARENT and not self._green_told:
            self._green_told = True
            if self._recording[1].suffix == _PLAIN:
                self._notify(f"The recording shows the room green, for {_PLAIN} holds no transparency; a new one will")

    def _follow_snapshots(self) -> None:
        wanted = self._settings.current.snapshots
        shown = self._pipeline.shown
        if wanted == self._snapshots_taken or shown is None:
            return
        self._snapshots_taken = wanted
        try:
            # A picture outlives the moment, so its name goes on saying what it shows.
            suffix = f"-{shown.raw.lower().replace(',', '').replace(' ', '-')}.png" if shown.raw else ".png"
            opened, path = self._open_new(suffix, _make)
            try:
                with os.fdopen(opened, "wb") as file:
                    seen = shown.cutout.image if shown.cutout is not None else nv12_to_bgr(shown.image)
                    file.write(cv2.imencode(".png", seen)[1].tobytes())
            except OSError:
                path.unlink(missing_ok=True)  # a part of a picture is none
                raise
        except (LivefilterError, OSError) as error:
            self._notify(f"Snapshot could not be saved{self._why(error)}")
        else:
            self._notify(f"Saved {path}")

    def _open_new(self, suffix: str, open_it: Callable[[Path], _Opened]) -> tuple[_Opened, Path]:
        """Open a file that is not there yet, named by the time, with a number where another run has the name."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = time.strftime("livefilter-%Y%m%d-%H%M%S")
        for count in range(1, _MOST_NAMES):
            path = self._folder / (f"{stem}{suffix}" if count == 1 else f"{stem}-{count}{suffix}")
            if path.exists():
                continue
            with contextlib.suppress(NameTaken, FileExistsError):  # another run was quicker
                return open_it(path), path
        raise NameTaken(f"{self._folder} has {_MOST_NAMES - 1} files of this second. Try again in a moment.")

    def _why(self, error: Exception) -> str:
        """The rest of a sentence: where, why and what helps."""
        if isinstance(error, OSError):
            what = (error.strerror or str(error)).lower()
            return f" in {self._folder}: {what}. Make room, or name another folder with --recordings."
        return f": {error}"

    def _notify(self, notice: str) -> None:
        _log.info("%s", notice)
        self._settings.change(notice=notice)


def _make(path: Path) -> int:
    """A descriptor of a new file that only its owner can read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
