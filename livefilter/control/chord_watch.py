"""Finds chords in a stream of key presses and releases."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livefilter.control.chord import MODIFIERS, Chord
from livefilter.control.trigger import Act

# A window reads its keys a tick later than we do; the person may have let go of ctrl by then.
_ECHO_S = 0.3


@dataclass(frozen=True, slots=True)
class Pressed:
    """A physical key.

    id: the same for its press, repeats and release, whatever modifiers do in between.
    names: what it may be called in a chord; ("ctrl",) and the like for modifiers, so that left and right count alike.
    """

    id: int | str
    names: tuple[str, ...]

    @property
    def modifier(self) -> str | None:
        return self.names[0] if self.names and self.names[0] in MODIFIERS else None


class ChordWatch:
    """Calls `act` once for each press of a bound chord: a held key repeats its press, and only the first one counts.

    still_down: whether a modifier that is thought to be held really is, where the system can be asked; releases are
        lost while a lock screen has the keyboard.
    """

    def __init__(
        self, bindings: Mapping[Chord, str], act: Act, still_down: Callable[[str], bool] = lambda modifier: True
    ) -> None:
        self._bindings = bindings
        self._act = act
        self._still_down = still_down
        self._down: dict[int | str, Pressed] = {}
        self._chorded_at = float("-inf")

    def press(self, key: Pressed) -> None:
        """Take note of a key that went down or repeats."""
        repeated = key.id in self._down
        self._down[key.id] = key
        if key.modifier is not None or repeated:
            return
        held = self._held()
        if held - {"shift"}:
            self._chorded_at = time.monotonic()
        for name in key.names:
            action = self._bindings.get(Chord(name, held))
            if action is not None:
                self._act(action)
                return

    def release(self, key: Pressed) -> None:
        """Take note of a key that went up."""
        self._down.pop(key.id, None)

    def chording(self) -> bool:
        """Whether a key was pressed with ctrl, alt or super just now."""
        return time.monotonic() - self._chorded_at < _ECHO_S

    def _held(self) -> frozenset[str]:
        for key in list(self._down.values()):
            if key.modifier is not None and not self._still_down(key.modifier):
                del self._down[key.id]
        return frozenset(key.modifier for key in self._down.values() if key.modifier is not None)
