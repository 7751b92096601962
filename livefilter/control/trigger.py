"""What every trigger outside the window and the terminal has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from livefilter.closeable import Closeable

# Carries out an action by its name, as Controller.perform does; called on the trigger's own thread.
Act: TypeAlias = Callable[[str], None]
# Tells the person in control something that came up while running.
Notify: TypeAlias = Callable[[str], object]

# How long the end of a trigger's thread is waited for.
CLOSE_TIMEOUT_S = 5.0


class Trigger(Closeable):
    """Listens from construction to `close` and calls `act` once per press, however long it lasts.

    name: what is listened to, in words for the user.
    chording: whether ctrl, alt or super were held just now, where the trigger can tell.
    """

    name: str

    @classmethod
    def check(cls, target: str) -> None:
        """Refuse what can be seen to be impossible here, before the input and the outputs are opened.

        target: what the settings name, such as a MIDI device or a port; "" where they name none.
        Raises: TriggerUnavailable: as on construction.
        """

    def chording(self) -> bool:
        return False
