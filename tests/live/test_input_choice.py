"""Starting over with another input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from livefilter.capture.camera_description import CameraDescription
from livefilter.config import Config
from livefilter.errors import SourceUnavailable, UnknownName
from livefilter.live import input_choice
from livefilter.live.idle import IdleWatch
from livefilter.live.input import LiveInput
from livefilter.live.input_choice import InputChooser
from tests.conftest import make_video
from tests.fakes import FakeSource, until


@pytest.fixture
def chooser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[InputChooser, LiveInput, list[str]]]:
    """A chooser over a fake camera, on a machine without others; what it says."""
    monkeypatch.setattr(input_choice, "list_cameras", list)
    folder = tmp_path / "Videos" / "livefilter"
    folder.mkdir(parents=True)
    make_video(tmp_path / "Videos" / "mine.mp4")
    (folder / "broken.mp4").write_text("nothing")
    (tmp_path / "Videos" / "secret.txt").write_text("nothing")
    live_input = LiveInput(FakeSource(), None, IdleWatch(None))
    said: list[str] = []
    yield InputChooser(Config(recordings=folder), live_input, said.append), live_input, said
    live_input.close()


def test_cameras_films_and_the_demo_are_offered(chooser: tuple[InputChooser, LiveInput, list[str]]) -> None:
    """Films of the user's folder are offered by name; paths of others never."""
    chosen, _, _ = chooser
    assert chosen.listed() == [
        {"name": "Demo scene", "target": "demo"},
        {"name": "mine.mp4", "target": "film:mine.mp4"},
    ]


def test_what_runs_is_not_offered_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the input of the start under another name, nor the one that was chosen last."""
    monkeypatch.setattr(input_choice, "list_cameras", list)
    film = make_video(tmp_path / "film.mp4")
    live_input, said = LiveInput(FakeSource(), None, IdleWatch(None)), [""]
    chosen = InputChooser(Config(input=str(film), recordings=tmp_path / "none"), live_input, said.append)
    assert [each["target"] for each in chosen.listed()] == ["demo", "film:film.mp4"]
    chosen.choose("demo")
    until(lambda: said[-1] == "Input: Demo scene", "the demo")
    assert [each["target"] for each in chosen.listed()] == ["first", "film:film.mp4"]
    live_input.close()


def test_cameras_are_called_by_name(
    chooser: tuple[InputChooser, LiveInput, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No path comes out, nor the serial number in it; each of two that are alike is opened under its own name."""
    cameras = [
        CameraDescription(number, "Webcam", f"/dev/video{number}", 200, bus=f"usb-{number}") for number in (0, 2)
    ]
    cameras.append(CameraDescription(4, "Webcam Pro", "/dev/video4", 200))
    monkeypatch.setattr(input_choice, "list_cameras", lambda: cameras)
    monkeypatch.setattr(input_choice, "lasting_target", lambda camera, _cameras: camera.path)
    opened: list[str] = []

    def refuse(spec: str, _options: object) -> None:
        opened.append(spec)
        raise SourceUnavailable("no such device")

    monkeypatch.setattr(input_choice, "open_input", refuse)
    chosen, _, said = chooser
    assert [each["target"] for each in chosen.listed()[:3]] == [
        "camera:Webcam",
        "camera:Webcam (2)",
        "camera:Webcam Pro",
    ]
    assert "/dev" not in str(chosen.listed())
    chosen.choose("camera:Webcam (2)")
    until(lambda: said[-1].startswith("Staying"), "the refusal")
    assert opened == ["/dev/video2"]


@pytest.mark.parametrize(
    "target", ["/dev/video0", "/etc/passwd", "file:/etc/passwd", "film:../secret.txt", "http://127.0.0.1/x", ""]
)
def test_what_is_not_offered_is_refused(chooser: tuple[InputChooser, LiveInput, list[str]], target: str) -> None:
    """Whoever calls the API opens neither a path nor an address of their choice."""
    chosen, live_input, _ = chooser
    with pytest.raises(UnknownName, match="Unknown input"):
        chosen.choose(target)
    assert live_input.name == "fake camera"


def test_the_run_goes_on_with_the_chosen_input(chooser: tuple[InputChooser, LiveInput, list[str]]) -> None:
    """The next frames are those of the new input, and the person in control is told."""
    chosen, live_input, said = chooser
    assert live_input.read() is not None
    chosen.choose("film:mine.mp4")
    until(lambda: said[-1] == "Input: mine.mp4", "the input is open")
    assert live_input.read() is not None
    assert live_input.name.endswith("mine.mp4")
    chosen.choose("demo")
    until(lambda: said[-1] == "Input: Demo scene", "the demo is open")
    assert live_input.read() is not None
    assert live_input.name == "demo scene"


def test_an_input_that_cannot_be_opened_changes_nothing(
    chooser: tuple[InputChooser, LiveInput, list[str]], tmp_path: Path
) -> None:
    """What runs stays, and the reason is told."""
    chosen, live_input, said = chooser
    (tmp_path / "Videos" / "mine.mp4").write_bytes(b"\0" * 5000)
    chosen.choose("film:mine.mp4")
    until(lambda: said[-1].startswith("Staying with fake camera"), "the refusal")
    assert live_input.read() is not None
    assert live_input.name == "fake camera"
