"""What can change while livefilter runs: one frozen value, replaced whole."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The wishes of whoever is in control; the stages read one snapshot per frame and make them true.

    style: name of the wanted style; the one on screen changes once it is loaded.
    strength: 0..1, how much of the styled picture is blended over the original.
    compare: show the original on the left half and the styled picture on the right.
    mirror: mirror the preview only. mirror_output: mirror what viewers see.
    bypass: show the raw camera. frozen: keep showing the last picture.
    help: show the keys in the preview. recording: write to a file.
    snapshots: how many snapshots were asked for so far. quitting: end the run.
    notice: the newest message for the person in control; noticed_at: when it came, in `time.monotonic()` seconds.
    """

    style: str
    strength: float = 1.0
    compare: bool = False
    mirror: bool = False
    mirror_output: bool = False
    bypass: bool = False
    frozen: bool = False
    help: bool = False
    recording: bool = False
    snapshots: int = 0
    quitting: bool = False
    notice: str = ""
    noticed_at: float = 0.0


class SharedSettings:
    """The current LiveSettings, shared by every thread."""

    def __init__(self, initial: LiveSettings) -> None:
        self._lock = threading.Lock()
        self._current = initial

    @property
    def current(self) -> LiveSettings:
        """The newest value; read it once per frame."""
        return self._current

    def change(self, **changes: Any) -> LiveSettings:
        """Replace some fields and return the new value."""
        if "notice" in changes:
            changes["noticed_at"] = time.monotonic()
        with self._lock:
            self._current = replace(self._current, **changes)
            return self._current
