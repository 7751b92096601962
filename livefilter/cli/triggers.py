"""Hotkeys and MIDI pads of a live run: what the settings ask for, opened and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from livefilter.config import Config
from livefilter.control.bindings import chord_bindings, pad_bindings
from livefilter.control.chord import Chord
from livefilter.control.controller import Controller
from livefilter.control.keyboard import keyboard_trigger
from livefilter.control.pad import Pad
from livefilter.control.trigger import Notify, Trigger
from livefilter.errors import TriggerUnavailable
from livefilter.registry import TRIGGERS


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """What the settings bind, checked.

    hotkeys: "on" must work, "auto" may not, "off" is not tried. midi: a device, or "off". osc: where to
        listen, or "off".
    """

    hotkeys: str
    chords: dict[Chord, str]
    midi: str
    pads: dict[Pad, str]
    osc: str = "off"

    @classmethod
    def of(cls, config: Config) -> TriggerSettings:
        """Read the settings.

        Raises: ConfigError, UnknownName: a wrong or doubled binding.
        """
        return cls(
            config.hotkeys, chord_bindings(config.hotkey), config.midi, pad_bindings(config.midi_pad), config.osc
        )

    def check(self) -> None:
        """Refuse what is asked for and cannot work here, before a camera is opened for nothing.

        Raises: TriggerUnavailable: as `listening`.
        """
        if self.hotkeys == "on" and self.chords:
            TRIGGERS.load(keyboard_trigger()).check("")
        if self.midi != "off":
            TRIGGERS.load("midi").check(self.midi)
        if self.osc != "off":
            TRIGGERS.load("osc").check(self.osc)


@contextmanager
def listening(
    wanted: TriggerSettings, controller: Controller, notify: Notify, say: Callable[[str], None]
) -> Iterator[list[Trigger]]:
    """Listen until the block ends; `say` gets one line on each kind of trigger.

    Raises: TriggerUnavailable: hotkeys that are "on", or what is named of MIDI and OSC, cannot be listened to.
    """
    with ExitStack() as opened:
        triggers: list[Trigger] = []
        if wanted.hotkeys != "off" and wanted.chords:
            try:
                keys: Trigger = TRIGGERS.load(keyboard_trigger())(wanted.chords, controller.trigger, notify)
            except TriggerUnavailable as error:
                if wanted.hotkeys == "on":
                    raise
                say(f"Hotkeys: off. {error}")
            else:
                triggers.append(opened.enter_context(keys))
                controller.chording = keys.chording
                say(f"Hotkeys: {keys.name}, with any window in focus; livefilter hotkeys lists them")
        if wanted.midi != "off":
            pads: Trigger = TRIGGERS.load("midi")(wanted.pads, wanted.midi, controller.trigger, notify)
            triggers.append(opened.enter_context(pads))
            say(f"MIDI:    {pads.name.removeprefix('MIDI device ')}; livefilter hotkeys lists the pads")
        if wanted.osc != "off":
            messages: Trigger = TRIGGERS.load("osc")(wanted.osc, controller.perform, notify)
            triggers.append(opened.enter_context(messages))
            say(f"OSC:     {messages.name.removeprefix('OSC on ')}; docs/api.md lists the messages")
        yield triggers
