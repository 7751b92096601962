"""What can change while livefilter runs: one frozen value, replaced whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from livefilter.control.parts import STYLED, raw_words

# Below this much style a face is recognised at a glance.
WEAK_STRENGTH = 0.3
# As far as networks that take the strength themselves were trained; others are blended, up to 1.
STRONGEST = 1.5


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The wishes of whoever is in control; the stages read one snapshot per frame and make them true.

    style: name of the wanted style; the one on screen changes once it is loaded.
    strength: 0..1.5, how strong the drawing is. strongest: how far that goes with the style on screen; networks that do
        not take it are blended over the original.
    person: "style" or "raw". room: what is around the person: "style", "raw", "blur", "transparent", "picture", or the
        name of another style.
    compare: show the original on the left and the styled picture on the right; split: where, as a share of the width.
    network: "auto", "lite" or "full". process_size: shorter side in pixels at which frames are styled; 0: automatic.
    mirror: mirror the preview only. mirror_output: mirror what viewers see.
    bypass: show the raw camera. frozen: keep showing the last picture.
    help: show the keys in the preview. recording: write to a file.
    hold: what the governor holds, such as ("30fps", "60ms"); prefer: "auto", "looks", "speed" or "cool".
    gaming: take only a share of the machine.
    snapshots: how many snapshots were asked for so far. quitting: end the run.
    notice: the newest message for the person in control; noticed_at: when it came, in `time.monotonic()` seconds.
    """

    style: str
    strength: float = 1.0
    strongest: float = 1.0
    person: str = STYLED
    room: str = STYLED
    compare: bool = False
    split: float = 0.5
    network: str = "auto"
    process_size: int = 0
    mirror: bool = False
    mirror_output: bool = False
    bypass: bool = False
    frozen: bool = False
    help: bool = False
    recording: bool = False
    hold: tuple[str, ...] = ()
    prefer: Literal["auto", "looks", "speed", "cool"] = "auto"
    gaming: bool = False
    snapshots: int = 0
    quitting: bool = False
    notice: str = ""
    noticed_at: float = 0.0

    @property
    def raw(self) -> str:
        """Why viewers are to see the camera's own pixels, as `Frame.raw` says it; empty when they are not."""
        if self.bypass:
            return "Raw camera"
        shown = [*["split screen"] * self.compare, *raw_words(self.person, self.room)]
        if not shown and self.strength < WEAK_STRENGTH:
            shown = ["weak style"]
        return ", ".join(shown).capitalize()

    @property
    def parted(self) -> bool:
        """Whether person and room are to look otherwise than the style alone."""
        return (self.person, self.room) != (STYLED, STYLED)


class SharedSettings:
    """The current LiveSettings, shared by every thread."""

    def __init__(self, initial: LiveSettings) -> None:
        self._lock = threading.Lock()
        self._current = initial
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._limit: Callable[[LiveSettings], LiveSettings] = lambda wanted: wanted

    @property
    def current(self) -> LiveSettings:
        """The newest value; read it once per frame."""
        return self._current

    def change(self, **changes: Any) -> LiveSettings:
        """Replace some fields and return the new value."""
        if "notice" in changes:
            changes["noticed_at"] = time.monotonic()
        with self._lock:
            self._current = changed = self._limit(replace(self._current, **changes))
        for listener in self._listeners:
            listener()
        return changed

    def limit(self, limit: Callable[[LiveSettings], LiveSettings]) -> None:
        """Let nothing be set from now on but what `limit` makes of it, whoever sets it; it must not wait."""
        with self._lock:
            self._limit = limit

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, on the thread that made it; it must not wait. Returns: what ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def forget() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return forget
