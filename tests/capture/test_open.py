"""What users write after --input."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from livefilter.capture import find_input, listing, open_source, resolve_input
from livefilter.capture.base import SourceOptions
from livefilter.capture.camera import CameraSource
from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.listing import camera_backends
from livefilter.errors import InvalidInput, SourceUnavailable
from livefilter.registry import SOURCES
from tests.capture.fakes import fake_camera
from tests.conftest import make_video

OPTIONS = SourceOptions(fps=60)
CAMERAS = [
    CameraDescription(0, "Integrated Webcam", "/dev/video80", camera_backends()[0]),
    CameraDescription(1, "Kitchen", "/dev/video81", camera_backends()[0]),
    CameraDescription(2, "OBS Virtual Camera", "/dev/video82", camera_backends()[0], virtual=True),
]


@pytest.fixture(autouse=True)
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[CameraDescription]:
    """The cameras of this test's machine; change the list to change them."""
    known = list(CAMERAS)
    monkeypatch.setattr(listing, "list_cameras", lambda backend=None: known)
    return known


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("auto", ("auto", "")),
        ("demo", ("demo", "")),
        ("demo:", ("demo", "")),
        ("0", ("camera", "0")),
        ("camera:0", ("camera", "0")),
        ("camera:Kitchen", ("camera", "Kitchen")),
        ("/dev/video0", ("camera", "/dev/video0")),
        ("kitch", ("camera", "kitch")),
        ("screen", ("screen", "")),
        ("screen:2", ("screen", "2")),
        ("screen:-10,20,640x360", ("screen", "-10,20,640x360")),
        ("rtsp://user:pw@host/path", ("stream", "rtsp://user:pw@host/path")),
        ("HTTP://host/x.mp4", ("stream", "HTTP://host/x.mp4")),
        ("stream:udp://0.0.0.0:5000", ("stream", "udp://0.0.0.0:5000")),
    ],
)
def test_words_mean_a_kind_and_a_target(spec: str, meant: tuple[str, str]) -> None:
    """Every form of the grammar is understood, without opening anything."""
    assert resolve_input(spec) == meant


@pytest.mark.parametrize(
    ("name", "kind"), [("clip.mp4", "file"), ("clip", "file"), ("photo.JPG", "image"), ("Bücher №1.png", "image")]
)
def test_a_file_that_exists_is_told_by_its_ending(name: str, kind: str, tmp_path: Path) -> None:
    """Images are stills, everything else is a video."""
    path = tmp_path / name
    path.touch()
    assert resolve_input(str(path)) == (kind, str(path))
    assert resolve_input(f"file:{path}") == ("file", str(path))
    assert resolve_input(f"image:{path}") == ("image", str(path))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("missing/clip.mp4", "There is no file missing/clip.mp4"),
        ("file:missing.mp4", "There is no file missing.mp4"),
        ("kinect", r"Unknown input 'kinect'.*camera 0 \(Integrated Webcam\), camera 1 \(Kitchen\)"),
        ("kitchn", "Did you mean 'Kitchen'"),
        ("dmo", "Did you mean 'demo'"),
        ("gopher://host/x", "gopher.*must start with one of rtsp"),
        ("screen:left", "'left' names no screen"),
        ("screen:1,2,3", "names no screen"),
        ("stream:somewhere", "no stream address"),
        ("camera:", "names nothing"),
        ("demo:mars", "takes no target"),
        ("", "is empty"),
    ],
)
def test_words_that_mean_nothing_say_what_is_near(spec: str, message: str) -> None:
    """Each mistake has its own line, with the way out."""
    with pytest.raises(InvalidInput, match=message):
        resolve_input(spec)


@pytest.mark.parametrize("prefix", ["", "file:", "image:"])
def test_a_folder_is_sent_to_render(prefix: str, tmp_path: Path) -> None:
    """A folder is no live input."""
    with pytest.raises(InvalidInput, match="livefilter render"):
        resolve_input(f"{prefix}{tmp_path}")


def test_a_misspelt_file_is_guessed(tmp_path: Path) -> None:
    """The nearest name in the same folder is offered."""
    (tmp_path / "holiday.mp4").touch()
    with pytest.raises(InvalidInput, match=r"Did you mean .*holiday\.mp4"):
        resolve_input(str(tmp_path / "holidy.mp4"))


def test_open_source_opens_what_is_meant(tmp_path: Path) -> None:
    """A path becomes an open source."""
    path = make_video(tmp_path / "clip.mp4")
    with open_source(str(path), OPTIONS) as source:
        assert source.info.frames == 30


def _cameras_work(monkeypatch: pytest.MonkeyPatch, working: dict[str, CameraSource]) -> None:
    def opens(target: str, options: SourceOptions) -> CameraSource:
        if target not in working:
            raise SourceUnavailable(f"Cannot open camera {target}: it is busy.")
        return working[target]

    load = SOURCES.load
    monkeypatch.setattr(SOURCES, "load", lambda kind: opens if kind == "camera" else load(kind))


def test_auto_takes_the_first_camera_that_delivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that is busy is passed over for the next."""
    works = fake_camera()
    _cameras_work(monkeypatch, {"1": works})
    assert find_input("auto", OPTIONS) == (works, None)


def test_auto_without_a_camera_shows_the_demo_and_says_why(cameras: list[CameraDescription]) -> None:
    """One line tells what was looked for, what happens instead and what to do."""
    cameras.clear()
    source, notice = find_input("auto", OPTIONS)
    assert source.info.name == "demo scene"
    assert notice is not None
    assert notice.startswith("No camera found")
    assert notice.endswith("showing the demo scene. Plug in a camera or name one with --input.")
    assert "\n" not in notice


def test_auto_names_the_trouble_of_every_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cameras that are there but cannot be used are not passed over in silence."""
    _cameras_work(monkeypatch, {})
    _, notice = find_input("auto", OPTIONS)
    assert notice is not None
    assert notice.startswith("Showing the demo scene")
    assert notice.endswith("Cannot open camera 0: it is busy. Cannot open camera 1: it is busy.")


def test_auto_never_takes_a_virtual_camera(monkeypatch: pytest.MonkeyPatch, cameras: list[CameraDescription]) -> None:
    """It may be our own output, and then the picture would feed itself."""
    del cameras[:2]
    _cameras_work(monkeypatch, {"2": fake_camera()})
    source, notice = find_input("auto", OPTIONS)
    assert source.info.name == "demo scene"
    assert notice is not None
    assert "but the virtual OBS Virtual Camera" in notice


def test_open_source_logs_what_auto_chose(cameras: list[CameraDescription], caplog: pytest.LogCaptureFixture) -> None:
    """Even a caller who does not ask for the notice leaves a trace of the change."""
    cameras.clear()
    with caplog.at_level(logging.WARNING):
        open_source("auto", OPTIONS).close()
    assert "showing the demo scene" in caplog.text
