"""Nothing raw while OBS streams or records."""

from __future__ import annotations

import threading
from dataclasses import replace

from livefilter.control.parts import RAW, STYLED
from livefilter.control.settings import WEAK_STRENGTH, LiveSettings, SharedSettings

# OBS tells of an output before it runs; what it calls these already counts.
_RUNS = {"OBS_WEBSOCKET_OUTPUT_STARTING", "OBS_WEBSOCKET_OUTPUT_STARTED", "OBS_WEBSOCKET_OUTPUT_RECONNECTING",
         "OBS_WEBSOCKET_OUTPUT_RECONNECTED", "OBS_WEBSOCKET_OUTPUT_PAUSED", "OBS_WEBSOCKET_OUTPUT_RESUMED",
         "OBS_WEBSOCKET_OUTPUT_STOPPING"}  # fmt: skip


class OnAir:
    """Knows whether OBS sends or writes anything, and forbids raw pictures then where that is wanted.

    never_raw: what the setting says. When OBS goes away while on air, that still counts until it tells otherwise.
    """

    def __init__(self, settings: SharedSettings, *, never_raw: bool) -> None:
        self._settings, self._never_raw = settings, never_raw
        self._running: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        if never_raw:
            settings.limit(self._limited)

    @property
    def now(self) -> tuple[str, ...]:
        """What runs: "streaming", "recording"."""
        return tuple(sorted(self._running, reverse=True))

    def follow(self, what: str, state: str) -> None:
        """Take the state of an output as an event tells it. what: "streaming" or "recording"."""
        self.set(what, state in _RUNS)

    def set(self, what: str, running: bool) -> None:
        """Take what runs, as it was asked for."""
        with self._lock:
            before = self._running
            self._running = before | {what} if running else before - {what}
        if self._never_raw and self._running and not before and self._settings.current.raw:
            self._settings.change()  # the limit covers it

    def _limited(self, wanted: LiveSettings) -> LiveSettings:
        if not self._running or not wanted.raw:
            return wanted
        return replace(
            wanted,
            bypass=False,
            compare=False,
            person=STYLED if wanted.person == RAW else wanted.person,
            room=STYLED if wanted.room == RAW else wanted.room,
            strength=max(wanted.strength, WEAK_STRENGTH),
            notice=f"OBS is {' and '.join(self.now)}, so nothing raw is shown ([obs] never_raw)",
            noticed_at=wanted.noticed_at + 1e-6,
        )
