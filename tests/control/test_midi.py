"""MIDI pads as triggers, on a backend of mido that the tests play."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Iterator

import pytest

from livefilter.control.bindings import pad_bindings
from livefilter.control.midi import MidiPads, list_midi_inputs
from livefilter.errors import TriggerUnavailable
from tests.fakes import until

if importlib.util.find_spec("mido") is None:
    pytest.skip("no mido here: pip install 'livefilter[midi]'", allow_module_level=True)

import mido

from tests.control import fake_midi

LPD8 = "LPD8:LPD8 MIDI 1 20:0"


@pytest.fixture(autouse=True)
def devices() -> Iterator[None]:
    """ALSA's loop and one device with pads; no thread or port is left open."""
    before = mido.backend
    mido.set_backend("tests.control.fake_midi")
    fake_midi.plugged[:] = ["Midi Through:Midi Through Port-0 14:0", LPD8]
    fake_midi.busy.clear()
    yield
    mido.set_backend(before)
    assert fake_midi.opened == []
    assert not [thread for thread in threading.enumerate() if thread.name == "midi-pads"]


class Playing:
    """Open pads, what they did and what they told."""

    def __init__(self, *changes: str, device: str = "auto") -> None:
        self.done: list[str] = []
        self.told: list[str] = []
        self.pads = MidiPads(pad_bindings(changes), device, self.done.append, self.told.append, look_every_s=0.01)


def test_pads_set_off_actions() -> None:
    """Each hit is one action; releases, unknown pads and other messages are none."""
    playing = Playing("bypass=cc:20@10", "style_3=note:60")
    assert playing.pads.name == f"MIDI device {LPD8}"
    for note in (37, 36, 60, 99):
        fake_midi.play("note_on", note=note, velocity=100, channel=9)
        fake_midi.play("note_on", note=note, velocity=0, channel=9)
    fake_midi.play("note_off", note=37)
    fake_midi.play("program_change", program=37)
    fake_midi.play("control_change", control=20, value=127, channel=9)
    fake_midi.play("control_change", control=20, value=127, channel=3)
    playing.pads.close()
    playing.pads.close()
    assert playing.done == ["next_style", "previous_style", "style_3", "bypass"]


@pytest.mark.parametrize(
    ("values", "presses"),
    [
        ([127, 0, 127, 0], 2),
        ([127, 127, 127], 3),  # a button that never sends its release
        (range(128), 1),  # a knob turned all the way up
        ([63, 0, 63], 0),
    ],
)
def test_a_controller_is_a_button_above_the_middle(values: list[int], presses: int) -> None:
    """What a button sends is a press; what a knob sends on its way does not flood."""
    playing = Playing("bypass=cc:20")
    for value in values:
        fake_midi.play("control_change", control=20, value=value)
    playing.pads.close()
    assert playing.done == ["bypass"] * presses


def test_a_device_is_found_by_part_of_its_name() -> None:
    """Case does not matter, and the loop can be named when it is wanted."""
    for part, name in (("lpd8", LPD8), ("through", fake_midi.plugged[0])):
        playing = Playing(device=part)
        assert playing.pads.name.endswith(name)
        playing.pads.close()


@pytest.mark.parametrize(
    ("plugged", "device", "said"),
    [
        ([LPD8], "launchpad", "no MIDI device 'launchpad'; there is LPD8"),
        (["Midi Through:Midi Through Port-0 14:0"], "auto", "no MIDI device; there is Midi Through"),
        ([], "auto", "Plug one in"),
    ],
)
def test_a_missing_device_is_told_with_what_there_is(plugged: list[str], device: str, said: str) -> None:
    """One line names the device and the choice."""
    fake_midi.plugged[:] = plugged
    with pytest.raises(TriggerUnavailable, match=said):
        Playing(device=device)
    with pytest.raises(TriggerUnavailable, match=said):
        MidiPads.check(device)


def test_a_look_at_a_device_opens_nothing() -> None:
    """Whether it is there is asked for before the camera is opened."""
    MidiPads.check("lpd8")
    assert not fake_midi.opened


def test_a_busy_device_is_told() -> None:
    """Windows gives a device to one program at a time."""
    fake_midi.busy.add(LPD8)
    with pytest.raises(TriggerUnavailable, match=r"LPD8.* cannot be opened.*Close the program"):
        Playing()


def test_a_replugged_device_works_again() -> None:
    """It comes back under another number; both changes are told."""
    playing = Playing()
    fake_midi.plugged.remove(LPD8)
    until(lambda: not fake_midi.opened, "the port closed")
    fake_midi.plugged.append("LPD8:LPD8 MIDI 1 24:0")
    until(lambda: len(playing.told) == 2, "the device opened again")
    fake_midi.play("note_on", note=37, velocity=100)
    playing.pads.close()
    assert playing.done == ["next_style"]
    assert "unplugged" in playing.told[0]
    assert "24:0 is back" in playing.told[1]


def test_a_missing_package_is_told_with_its_command() -> None:
    """Without the extra, one line says how to get it."""
    mido.set_backend("no_such_backend")
    with pytest.raises(TriggerUnavailable, match=r'pip install "livefilter\[midi\]"'):
        list_midi_inputs()


def test_a_system_without_midi_is_told() -> None:
    """What rtmidi throws where there is no sequencer becomes one line."""
    if importlib.util.find_spec("rtmidi") is None:
        pytest.skip("no python-rtmidi here: pip install 'livefilter[midi]'")
    if os.path.exists("/dev/snd/seq"):
        pytest.skip("this machine has MIDI")
    mido.set_backend("mido.backends.rtmidi")
    with pytest.raises(TriggerUnavailable, match="MIDI does not work on this system") as caught:
        list_midi_inputs()
    assert "\n" not in str(caught.value)
