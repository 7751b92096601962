"""MIDI pads and buttons as triggers."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from livefilter.control.pad import Pad
from livefilter.control.trigger import CLOSE_TIMEOUT_S, Act, Notify, Trigger
from livefilter.errors import TriggerUnavailable, install_extra

_log = logging.getLogger(__name__)
# How often it is asked whether the device is still plugged in; no MIDI system tells by itself.
_LOOK_EVERY_S = 2.0
_SEQUENCER = "/dev/snd/seq"
_PRESSED = 64  # of 127, from where on a controller counts as a button that is down (MIDI 1.0, switches)


class MidiPads(Trigger):
    """Listens to one MIDI input through mido; when it is unplugged, waits for it to come back.

    bindings: pad -> action. device: part of the input's name, or "auto" for the first one that is no software loop.
    Raises: TriggerUnavailable: mido or its backend is missing, or there is no such device.
    """

    def __init__(
        self, bindings: Mapping[Pad, str], device: str, act: Act, notify: Notify, look_every_s: float = _LOOK_EVERY_S
    ) -> None:
        self._bindings = bindings
        self._device = device
        self._act = act
        self._notify = notify
        self._look_every_s = look_every_s
        self._values: dict[tuple[int, int], int] = {}
        self._closing = threading.Event()
        found = _find(device, list_midi_inputs())
        self.name = f"MIDI device {found}"
        self._port: Any = self._open(found)
        self._thread = threading.Thread(target=self._look_after, args=(found,), name="midi-pads", daemon=True)
        self._thread.start()

    @classmethod
    def check(cls, target: str) -> None:
        _find(target, list_midi_inputs())

    def close(self) -> None:
        """Let the device go. Can be called twice."""
        self._closing.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._port is not None:
            self._port.close()
            self._port = None

    def _open(self, name: str) -> Any:
        try:
            return _mido().open_input(name, callback=self._hear)
        except Exception as error:  # OSError from mido, RuntimeError and its own kinds from rtmidi
            raise TriggerUnavailable(
                f"MIDI device {name} cannot be opened: {error}. Close the program that uses it, or choose another one."
            ) from error

    def _hear(self, message: Any) -> None:
        """Called by mido for every message, on a thread of its own."""
        if message.type == "note_on" and message.velocity > 0:  # velocity 0 is how many devices say note_off
            self._press("note", message.note, message.channel)
        elif message.type == "control_change":
            key = (message.channel, message.control)
            before = self._values.get(key, 0)
            self._values[key] = message.value
            # A button that never sends its release repeats its value; a knob that is turned up passes only once.
            if message.value >= _PRESSED and (before < _PRESSED or before == message.value):
                self._press("cc", message.control, message.channel)

    def _press(self, kind: Any, number: int, channel: int) -> None:
        # mido counts channels from 0, and the rest of the world from 1.
        action = self._bindings.get(Pad(kind, number, channel + 1)) or self._bindings.get(Pad(kind, number))
        if action is not None:
            self._act(action)

    def _look_after(self, name: str) -> None:
        """Notice that the device is gone, and open it again when it is back."""
        while not self._closing.wait(self._look_every_s):
            try:
                names = list_midi_inputs()
                if self._port is not None and name not in names:
                    port, self._port = self._port, None
                    port.close()
                    self._tell(f"MIDI device {name} was unplugged; waiting for it to come back")
                elif self._port is None:
                    # Not by its whole name: that ends with a number which changes on Linux.
                    name = _find(self._device if self._device != "auto" else _stem(name), names)
                    self._port = self._open(name)
                    self._tell(f"MIDI device {name} is back")
            except TriggerUnavailable as error:
                _log.debug("Still without a MIDI device: %s", error)

    def _tell(self, text: str) -> None:
        _log.info("%s", text)
        self._notify(text)


def list_midi_inputs() -> list[str]:
    """The names of the MIDI inputs of this machine.

    Raises: TriggerUnavailable: mido or its backend is missing, or this system has no MIDI.
    """
    mido = _mido()
    if mido.backend.name.startswith("mido.backends.rtmidi") and sys.platform.startswith("linux"):
        _require_sequencer()
    try:
        return list(dict.fromkeys(mido.get_input_names()))
    except TriggerUnavailable:
        raise
    except Exception as error:  # whatever the system's MIDI library throws
        reason = " ".join(str(error).split()).rstrip(".")
        raise TriggerUnavailable(f"MIDI does not work on this system: {reason}. Check its sound drivers.") from error


def _require_sequencer() -> None:
    """ALSA prints a line of its own to the terminal when it cannot open this, so it is asked for first."""
    if not os.access(_SEQUENCER, os.R_OK | os.W_OK):
        there = os.path.exists(_SEQUENCER)
        why = "may not be opened by this user" if there else "does not exist"
        fix = "Add your user to the group audio." if there else "Load it: sudo modprobe snd-seq"
        raise TriggerUnavailable(f"MIDI does not work on this system: {_SEQUENCER} {why}.", fix=fix)


def _mido() -> Any:
    try:
        import mido

        mido.backend.load()
    except ImportError as error:
        raise TriggerUnavailable(f"MIDI needs the package {error.name}. Install it: {install_extra('midi')}") from error
    return mido


def _find(device: str, names: list[str]) -> str:
    """The input that `device` means.

    Raises: TriggerUnavailable: names what there is.
    """
    wanted = device.strip().lower()
    # "Midi Through" is ALSA's own loop: it is always there, and nobody plays on it.
    fitting = [name for name in names if wanted in name.lower()]
    if wanted == "auto":
        fitting = [name for name in names if "midi through" not in name.lower()]
    if fitting:
        return fitting[0]
    there = ", ".join(names)
    missing = "There is no MIDI device" if wanted == "auto" else f"There is no MIDI device {device!r}"
    raise TriggerUnavailable(f"{missing}; there is {there}." if there else f"{missing}. Plug one in and start again.")


def _stem(name: str) -> str:
    """A name without the client and port number that ALSA puts at its end, as in "LPD8:LPD8 MIDI 1 20:0"."""
    stem, _, last = name.rpartition(" ")
    return stem if stem and ":" in last and last.replace(":", "").isdigit() else name
