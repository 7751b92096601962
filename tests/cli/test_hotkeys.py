"""`livefilter hotkeys`, and hotkeys and pads of a whole run."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from livefilter.cli.hotkeys import hotkeys
from livefilter.cli.run import run
from livefilter.cli.triggers import TriggerSettings, listening
from livefilter.config import Config
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import ConfigError, TriggerUnavailable
from tests.cli.test_run import SMALL, livefilter
from tests.control.keyboard import Keyboard
from tests.fakes import until
from tests.live.test_run_seen import Program


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No display, and no settings of the user's own."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def shown(*arguments: str) -> str:
    """What `livefilter hotkeys` prints."""
    done = CliRunner().invoke(hotkeys, list(arguments), standalone_mode=False)
    assert done.exception is None, done.exception
    return done.output


def actions(*arguments: str) -> dict[str, Any]:
    """What `livefilter hotkeys --json` lists: name -> the rest."""
    return {row["action"]: row for row in json.loads(shown("--json", *arguments))["actions"]}


def test_everything_is_listed(tmp_path: Path) -> None:
    """The table shows each action with its key, hotkey and pad, as changed by flags and file."""
    (tmp_path / "c.toml").write_text('hotkey = ["compare=ctrl+alt+c"]\nmidi_pad = ["compare=cc:7"]\n')
    table = shown("--config", str(tmp_path / "c.toml"))
    rows = [line.split() for line in table.splitlines()]
    assert any(row[:4] == ["compare", "c", "ctrl+alt+c", "cc:7"] for row in rows), table
    assert "no display" in table
    listed = actions("--hotkey", "quit=f24")
    assert listed["next_style"]["hotkeys"] == ["ctrl+shift+f2"]
    assert listed["quit"]["hotkeys"] == ["f24"]
    assert listed["style_9"]["key"] == "9"


def test_the_environment_may_change_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list in a variable is parted by commas, as for the outputs."""
    monkeypatch.setenv("LIVEFILTER_HOTKEY", "quit=f24, bypass=none")
    listed = actions()
    assert (listed["quit"]["hotkeys"], listed["bypass"]["hotkeys"]) == (["f24"], [])


@pytest.mark.parametrize(
    ("command", "arguments"), [(hotkeys, ()), (run, ("-i", "nowhere.mp4", "--hotkeys", "off"))], ids=["hotkeys", "run"]
)
def test_a_conflict_is_told_before_anything_opens(command: click.Command, arguments: tuple[str, ...]) -> None:
    """Even with hotkeys off: the settings are wrong whatever is done with them."""
    flags = [*arguments, "--hotkey", "compare=ctrl+shift+f3"]
    done = CliRunner().invoke(command, flags, standalone_mode=False)
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("ctrl+shift+f3 stands for both compare and bypass.")


def test_a_desktop_file_is_written_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes into the user's own folder and can start the program."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = tmp_path / "data" / "applications" / "io.github.livefilter.desktop"
    assert str(path) in shown("--install")
    assert "-m livefilter run" in path.read_text()


def test_where_hotkeys_cannot_work_it_is_told() -> None:
    """ "on" is an error with the reason; "auto" says it in one line and goes on; "off" says nothing."""
    controller = Controller(SharedSettings(LiveSettings("hayao")), ["hayao"])
    said: list[str] = []
    must = TriggerSettings.of(Config(hotkeys="on"))
    with pytest.raises(TriggerUnavailable, match="no display"), listening(must, controller, print, said.append):
        pass
    with listening(TriggerSettings.of(Config(hotkeys="off")), controller, print, said.append):
        assert said == []
    with listening(TriggerSettings.of(Config()), controller, print, said.append):
        assert said == ["Hotkeys: off. Global hotkeys need a desktop session, and there is no display here."]


def test_a_run_that_cannot_have_its_hotkeys_ends_cleanly(tmp_path: Path) -> None:
    """One line says why, and it is the only one."""
    done = livefilter(tmp_path, "run", "-i", "demo", "-o", "null", *SMALL, "--hotkeys", "on")
    assert done.returncode == 1
    assert [line.startswith("Error: Global hotkeys need") for line in done.stderr.splitlines()] == [True]
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hotkeys", "on"), "Global hotkeys need a desktop session"),
        (("--midi", "launchpad"), "There is no MIDI device 'launchpad'; there is LPD8."),
        (("--osc", "80x"), "OSC target '80x' is no port"),
        (("--osc", "TAKEN"), "Choose another port"),
    ],
    ids=["hotkeys", "midi", "osc", "osc-taken"],
)
def test_what_cannot_be_listened_to_is_told_before_anything_opens(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    """No camera's lamp is lit for a run that cannot have its hotkeys, its pads or its messages."""
    opened: list[Config] = []
    monkeypatch.setattr("livefilter.cli.run.compose_live", lambda config, keys: opened.append(config))
    monkeypatch.setattr("livefilter.control.midi.list_midi_inputs", lambda: ["LPD8"])
    if "--osc" in arguments:
        pytest.importorskip("pythonosc", reason="no python-osc here: pip install 'livefilter[osc]'")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
        asked = [port if each == "TAKEN" else each for each in arguments]
        done = CliRunner().invoke(run, ["-i", "demo", "-o", "null", *asked], standalone_mode=False)
    assert isinstance(done.exception, TriggerUnavailable)
    assert said in str(done.exception)
    assert opened == []


def test_pads_reach_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is named is opened with the run and closed with it; one that is missing is an error."""
    mido = pytest.importorskip("mido", reason="no mido here: pip install 'livefilter[midi]'")
    from tests.control import fake_midi

    before = mido.backend
    mido.set_backend("tests.control.fake_midi")
    monkeypatch.setattr(fake_midi, "plugged", ["LPD8 MIDI 1 20:0"])
    settings = SharedSettings(LiveSettings("hayao"))
    controller = Controller(settings, ["hayao", "second"])
    said: list[str] = []
    try:
        wanted = TriggerSettings.of(Config(hotkeys="off", midi="lpd8"))
        with listening(wanted, controller, said.append, said.append):
            fake_midi.play("note_on", note=37, velocity=64)
        assert fake_midi.opened == []
        missing = TriggerSettings.of(Config(hotkeys="off", midi="launchpad"))
        with pytest.raises(TriggerUnavailable, match="launchpad"), listening(missing, controller, said.append, print):
            pass
    finally:
        mido.set_backend(before)
    assert settings.current.style == "second"
    assert said == ["MIDI:    LPD8 MIDI 1 20:0; livefilter hotkeys lists the pads"]


def test_a_run_is_steered_from_another_window(tmp_path: Path, xvfb: str, keyboard: Keyboard) -> None:
    """With the focus elsewhere, chords change the strength and end the run, each press once."""
    if importlib.util.find_spec("pynput") is None:
        pytest.skip("no pynput here: pip install 'livefilter[hotkeys]'")
    files = tmp_path / "files"
    program = Program(
        tmp_path, "-i", "demo", "-o", "null", "--json", "--width", "64", "--height", "48", "--process-size", "64",
        "--recordings", str(files), "--hotkey", "quit=ctrl+alt+q", display=xvfb,
    )  # fmt: skip
    try:
        program.said("Hotkeys: X11 keyboard")

        waiting = threading.Event()

        def saved() -> bool:
            if not any(files.glob("*.png")):
                keyboard.key("ctrl+shift+F12")
                waiting.wait(0.5)
            return any(files.glob("*.png"))

        until(saved, "a snapshot: the X server records keys a moment after it was asked to")
        for _ in range(3):
            keyboard.key("ctrl+shift+F7")
        keyboard.key("ctrl+alt+q")
        until(lambda: program.process.poll() is not None, "the end of the run")
        assert program.end() == 0, program.lines
    finally:
        program.process.kill()
    report = json.loads(program.output)
    assert report["strength"] == 0.7
    assert not [line for line in program.lines if "Traceback" in line]
