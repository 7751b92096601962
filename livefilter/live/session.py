"""A live run as seen from the main thread: keys in, wishes made true, nothing here ever holds up a stage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import cv2

from livefilter.control.controller import Controller, help_lines
from livefilter.control.settings import SharedSettings
from livefilter.errors import LivefilterError
from livefilter.frame import Frame
from livefilter.live.pipeline import Pipeline
from livefilter.nv12 import to_bgr
from livefilter.output.base import Sink

_log = logging.getLogger(__name__)


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
    screens: sinks that are marked while they show something else than the live, styled picture.
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
        screens: Sequence[Sink] = (),
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._controller = controller
        self._open_recording = open_recording
        self._folder = folder
        self._keys = keys
        self._preview = preview
        self._screens = screens
        self._recording: _Recording | None = None
        self._snapshots_taken = settings.current.snapshots

    def tick(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s`, handle what happened; False when the run is over."""
        keys: Iterable[str] = self._keys.read()
        wanted = self._settings.current
        for screen in self._screens:
            screen.mark = "Frozen" if wanted.frozen else "Raw camera" if wanted.bypass else ""
        if self._preview is not None:
            self._preview.mirror = wanted.mirror
            self._preview.overlay_lines = help_lines() if wanted.help else []
            keys = [*keys, *self._preview.pump(max(1, int(timeout_s * 1000)))]
            over = self._pipeline.wait(0)
        else:
            over = self._pipeline.wait(timeout_s)
        for key in keys:
            self._controller.press(key)
        self._follow_recording()
        self._follow_snapshots()
        return not (over or self._settings.current.quitting)

    def close(self) -> None:
        """Finish a recording that is still running. Can be called twice."""
        self._settings.change(recording=False)
        self._follow_recording()

    def _follow_recording(self) -> None:
        wanted = self._settings.current.recording
        if self._recording is not None and (self._recording.error or not wanted):
            recording, self._recording = self._recording, None
            self._pipeline.remove_sink(recording)
            try:
                recording.close()
                if recording.error is not None:
                    raise recording.error
                self._notify(f"Recorded {recording.path}")
            except LivefilterError as error:
                self._settings.change(recording=False)
                self._notify(f"Recording stopped: {error}")
        elif self._recording is None and wanted:
            try:
                path = self._new_path(".mp4")
                self._recording = _Recording(self._open_recording(path), path)
            except (LivefilterError, OSError) as error:
                self._settings.change(recording=False)
                self._notify(f"Recording could not start: {error}")
            else:
                self._pipeline.add_sink(self._recording)
                self._notify(f"Recording to {path}")

    def _follow_snapshots(self) -> None:
        wanted = self._settings.current.snapshots
        latest = self._pipeline.latest
        if wanted == self._snapshots_taken or latest is None:
            return
        self._snapshots_taken = wanted
        try:
            path = self._new_path(".png")
            path.write_bytes(cv2.imencode(".png", to_bgr(latest.image))[1].tobytes())
        except OSError as error:
            self._notify(f"Snapshot could not be saved: {error}")
        else:
            self._notify(f"Saved {path}")

    def _new_path(self, suffix: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = time.strftime("livefilter-%Y%m%d-%H%M%S")
        path, count = self._folder / f"{stem}{suffix}", 1
        while path.exists():
            count += 1
            path = self._folder / f"{stem}-{count}{suffix}"
        return path

    def _notify(self, notice: str) -> None:
        _log.info("%s", notice)
        self._settings.change(notice=notice)


class _Recording(Sink):
    """A recording started by key: when it fails it says so and the show goes on."""

    def __init__(self, inner: Sink, path: Path) -> None:
        self.name = inner.name
        self.path = path
        self.error: LivefilterError | None = None
        self._inner = inner

    def send(self, frame: Frame) -> None:
        if self.error is None:
            try:
                self._inner.send(frame)
            except LivefilterError as error:
                self.error = error

    def close(self) -> None:
        self._inner.close()
