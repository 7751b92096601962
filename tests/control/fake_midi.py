"""A backend for mido with devices that tests plug in and play; chosen by MIDO_BACKEND or mido.set_backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mido import Message
from mido.ports import BaseInput

plugged: list[str] = []
busy: set[str] = set()
opened: list[Input] = []


def get_devices(**_options: Any) -> list[dict[str, Any]]:
    """What mido's backends answer with."""
    return [{"name": name, "is_input": True, "is_output": False} for name in plugged]


class Input(BaseInput):  # type: ignore[misc]  # mido has no types
    """An input that is played by the test."""

    def _open(self, callback: Callable[[Any], None], **_options: Any) -> None:
        if self.name not in plugged or self.name in busy:
            raise OSError(f"unknown port {self.name!r}")
        self.callback = callback
        opened.append(self)

    def _close(self) -> None:
        opened.remove(self)


def play(kind: str, **values: int) -> None:
    """Send a message from every open device, as its MIDI thread does."""
    for port in list(opened):
        port.callback(Message(kind, **values))
