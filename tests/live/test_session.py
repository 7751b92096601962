"""Wishes that become files, and the end of a run."""

from __future__ import annotations

import os
import stat
import sys
import threading
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import SinkLost, SinkUnavailable
from livefilter.live.outputs import Outputs
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.session import LiveSession
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.video.recording import RecordingSink
from tests.fakes import FakeSink, FakeSource, FakeStyler, until


class FakeKeys:
    """Hands over each string of keys once."""

    def __init__(self, *keys: str) -> None:
        self.typed = list(keys)

    def read(self) -> list[str]:
        return [self.typed.pop(0)] if self.typed else []


class FakePreview:
    """Remembers what it was told to draw."""

    def __init__(self) -> None:
        self.mirror = False
        self.overlay_lines: list[str] = []
        self.keys: list[str] = []

    def pump(self, timeout_ms: int) -> list[str]:
        keys, self.keys = self.keys, []
        return keys


class Run:
    """A session over fakes, its parts within reach."""

    def __init__(
        self, folder: Path, recording: Sink | Exception | None = None, preview: FakePreview | None = None
    ) -> None:
        self.settings = SharedSettings(LiveSettings("first"))
        self.sink = FakeSink()
        self.keys = FakeKeys()
        stylist = LiveStylist(lambda name: FakeStyler(), FakeStyler(), self.settings, Metrics())
        options = PipelineOptions(64, 48, fps=100)
        outputs = Outputs([self.sink], notify=lambda notice: self.settings.change(notice=notice))
        self.pipeline = Pipeline(FakeSource(), stylist, outputs, options)
        self.opened: list[Path] = []
        self.taken = 0

        def open_recording(path: Path) -> Sink:
            self.opened.append(path)
            if len(self.opened) <= self.taken:  # another run begins one of this name first
                path.write_bytes(b"another run's")
                return RecordingSink(str(path), SinkOptions(64, 48, 100.0))
            if isinstance(recording, Exception):
                raise recording
            assert recording is not None
            return recording

        self.controller = Controller(self.settings, ["first", "second"])
        self.session = LiveSession(
            self.pipeline, self.settings, self.controller, open_recording, folder, self.keys, preview
        )

    def shows(self, mark: str) -> bool:
        return bool(self.sink.sent) and self.sink.sent[-1].mark == mark

    def press(self, key: str) -> None:
        self.keys.typed.append(key)
        assert self.session.tick(0.001)

    def end(self) -> None:
        self.session.close()
        self.pipeline.stop()
        self.pipeline.join()


def test_r_records_until_pressed_again(tmp_path: Path) -> None:
    """The first press opens a file that gets frames, the second closes it; the notice names the file."""
    recording = FakeSink()
    run = Run(tmp_path, recording)
    run.pipeline.start()
    run.press("r")
    until(lambda: len(recording.sent) > 3, "recorded frames")
    assert run.opened[0].suffix == ".mp4"
    run.press("r")
    assert recording.closed
    assert str(run.opened[0]) in run.settings.current.notice
    got = len(recording.sent)
    run.end()
    assert (len(recording.sent), recording.closed) == (got, True)


def test_a_room_that_is_cut_away_in_the_middle_of_a_recording_is_told(tmp_path: Path) -> None:
    """What holds no transparency shows it green; said once, and not of a file that was begun with it."""
    run = Run(tmp_path, FakeSink())
    run.pipeline.start()
    for first, said in (("style", "shows the room green, for .mp4"), ("transparent", "Recording to")):
        run.settings.change(room=first)
        run.press("r")
        run.settings.change(room="transparent")
        assert run.session.tick(0.001)
        assert said in run.settings.current.notice
        run.settings.change(notice="another")
        assert run.session.tick(0.001)
        assert run.settings.current.notice == "another"
        run.press("r")
    run.end()


def test_a_recording_that_fails_does_not_end_the_show(tmp_path: Path) -> None:
    """A full disk stops the recording with its reason; viewers notice nothing."""
    recording = FakeSink(SinkLost("disk full"), fail_at=2)
    run = Run(tmp_path, recording)
    run.pipeline.start()
    run.press("r")
    until(lambda: run.session.tick(0.001) and not run.settings.current.recording, "the recording's end")
    assert "disk full" in run.settings.current.notice
    until(lambda: recording.closed, "the file finished")
    sent = len(run.sink.sent)
    until(lambda: len(run.sink.sent) > sent + 5, "frames for the viewers")
    run.end()


def test_a_recording_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The wish is taken back and the reason shown."""
    run = Run(tmp_path, SinkUnavailable("no encoder"))
    run.pipeline.start()
    run.press("r")
    assert not run.settings.current.recording
    assert "no encoder" in run.settings.current.notice
    run.end()


def test_a_recording_takes_a_name_that_no_other_run_has(tmp_path: Path) -> None:
    """When others take the names of this second in the same moment, the next one is taken, and theirs stay."""
    recording = FakeSink()
    run = Run(tmp_path, recording)
    run.taken = 2
    run.pipeline.start()
    run.press("r")
    until(lambda: len(recording.sent) > 3, "recorded frames")
    notice = run.settings.current.notice
    run.end()
    assert notice == f"Recording to {run.opened[2]}"
    assert run.opened[2].stem == f"{run.opened[0].stem}-3"
    assert [path.read_bytes() for path in run.opened[:2]] == [b"another run's"] * 2


def test_a_snapshot_takes_a_name_that_no_other_run_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another run takes the name of this second in the same moment, the next one is taken, and its file stays."""
    run = Run(tmp_path)
    run.pipeline.start()
    until(lambda: len(run.sink.sent) > 0, "a first frame")
    taken: list[Path] = []
    real = Path.exists

    def exists(path: Path, **kwargs: bool) -> bool:
        there = real(path, **kwargs)
        if path.suffix == ".png" and not taken:
            path.write_bytes(b"another run's")
            taken.append(path)
        return there

    monkeypatch.setattr(Path, "exists", exists)
    run.press("s")
    saved = sorted(tmp_path.glob("*.png"))
    notice = run.settings.current.notice
    run.end()
    assert taken[0].read_bytes() == b"another run's"
    (other,) = set(saved) - set(taken)
    assert cv2.imread(str(other)) is not None
    assert notice == f"Saved {other}"


def test_a_running_recording_is_finished_at_the_end(tmp_path: Path) -> None:
    """Quitting while recording closes the file."""
    recording = FakeSink()
    run = Run(tmp_path, recording)
    run.pipeline.start()
    run.press("r")
    run.end()
    assert recording.closed


def test_s_saves_what_viewers_see(tmp_path: Path) -> None:
    """Every press writes one PNG of a styled frame, under a name of its own."""
    run = Run(tmp_path)
    run.pipeline.start()
    until(lambda: len(run.sink.sent) > 0, "a first frame")
    run.press("s")
    run.press("s")
    saved = sorted(tmp_path.glob("*.png"))
    run.end()
    assert len(saved) == 2
    image = cv2.imread(str(saved[0]))
    assert image is not None
    assert any(np.array_equal(image, frame.image) for frame in run.sink.sent)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_snapshot_on_a_full_disk_leaves_no_part_of_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened, where, and what helps is said in one sentence."""

    def make(path: Path) -> int:
        path.touch()
        return os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr("livefilter.live.session._make", make)
    run = Run(tmp_path)
    run.pipeline.start()
    until(lambda: len(run.sink.sent) > 0, "a first frame")
    run.press("s")
    run.end()
    assert run.settings.current.notice == (
        f"Snapshot could not be saved in {tmp_path}: no space left on device. "
        "Make room, or name another folder with --recordings."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_snapshots_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The folder that is made for them has mode 0700, and the files 0600."""
    run = Run(tmp_path / "clips")
    run.pipeline.start()
    until(lambda: len(run.sink.sent) > 0, "a first frame")
    run.press("s")
    (saved,) = (tmp_path / "clips").glob("*.png")
    run.end()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700


def test_an_unwritable_folder_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    """A snapshot that cannot be saved is a notice, not an end."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    run = Run(blocked)
    run.pipeline.start()
    until(lambda: len(run.sink.sent) > 0, "a first frame")
    run.press("s")
    assert "could not be saved" in run.settings.current.notice
    run.end()


@pytest.mark.parametrize("through", ["terminal", "window"])
def test_q_ends_the_run(tmp_path: Path, through: str) -> None:
    """Quit works from the terminal and from the window."""
    preview = FakePreview()
    run = Run(tmp_path, preview=preview)
    run.pipeline.start()
    (run.keys.typed if through == "terminal" else preview.keys).append("q")
    assert not run.session.tick(0.001)
    run.end()


def test_screens_are_marked_while_they_show_something_else(tmp_path: Path) -> None:
    """Each frame says that it is raw or frozen, and the ones after it do not."""
    run = Run(tmp_path)
    run.pipeline.start()
    for key, mark in (("b", "Raw camera"), ("b", ""), ("space", "Frozen"), ("space", "")):
        run.press(key)
        until(partial(run.shows, mark), f"the mark {mark!r}")
    run.end()


def test_the_preview_shows_help_and_mirror_when_asked(tmp_path: Path) -> None:
    """h and m reach the window alone: viewers' frames stay as they are."""
    preview = FakePreview()
    run = Run(tmp_path, preview=preview)
    run.pipeline.start()
    run.press("h")
    run.press("m")
    run.session.tick(0.001)
    assert preview.mirror
    assert any("next style" in line for line in preview.overlay_lines)
    assert not run.settings.current.mirror_output
    run.end()


def test_what_is_timed_ends_with_the_session(tmp_path: Path) -> None:
    """No thread of a timed action outlives the run, and nothing is given back into settings that nobody reads."""
    run = Run(tmp_path)
    run.pipeline.start()
    run.controller.perform("bypass", for_s=60)
    assert [thread for thread in threading.enumerate() if thread.name == "timed-actions"]
    run.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "timed-actions"]
    assert run.controller.timed.state() == []
