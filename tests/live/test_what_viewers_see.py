"""What viewers see, what is marked and what is saved are one value; the camera's own pixels never come unmarked."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefilter.capture.base import Source
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import SourceError, SourceLost, SourceUnavailable
from livefilter.frame import Frame, Image
from livefilter.inference.look import PLAIN, Look
from livefilter.live.outputs import Outputs
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.session import LiveSession
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.output.base import Sink
from livefilter.output.card import holding_card
from tests.fakes import FakeSink, FakeSource, FakeStyler, NoKeys, until

OPTIONS = PipelineOptions(64, 48, fps=100, hold_s=0.3)
RAW, STYLED = (255, 0, 255), (0, 255, 0)  # BGR; no card and no blend of 30 % or more comes near the first


def shows_raw(image: Image) -> bool:
    """Whether any pixel is the camera's for more than 70 %."""
    blue, green, red = image[..., 0], image[..., 1], image[..., 2]
    return bool(((blue > 180) & (red > 180) & (green < 75)).any())


class RawCamera(FakeSource):
    """Paints every frame raw; stalls while `flowing` is clear; is lost when told so."""

    def __init__(self) -> None:
        super().__init__(every_s=0.004)
        self.flowing = threading.Event()
        self.flowing.set()
        self.lost = False

    def read(self) -> Frame:
        while not self.flowing.wait(0.01):
            if self.closed:
                raise SourceError("closed")
        if self.lost:
            raise SourceLost("unplugged")
        return Frame(np.full((48, 64, 3), RAW, np.uint8), super().read().number, time.perf_counter())


class Green(FakeStyler):
    """Paints every frame styled; finds somebody on the left, everybody, nobody, or does not tell, in turns."""

    def __init__(self) -> None:
        super().__init__()
        masks = [np.zeros((24, 32), np.uint8) for _ in range(3)]
        masks[0][:, :16] = masks[1][:] = 255
        self._turns = itertools.cycle([masks[0], masks[0], masks[1], masks[2], None])

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        self.person = next(self._turns)
        return np.full_like(image, STYLED)


class Witness(FakeSink):
    """Keeps the frames that showed the camera unmarked."""

    def __init__(self) -> None:
        super().__init__()
        self.unmarked: list[Frame] = []
        self.count = 0
        self.last: Frame | None = None

    def send(self, frame: Frame) -> None:
        self.count += 1
        self.last = frame
        if shows_raw(frame.image) and not (frame.raw and frame.mark):
            self.unmarked.append(frame)


class Run:
    """A whole run over a raw camera, with two styles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.camera = RawCamera()
        self.plugged_in = threading.Event()
        self.plugged_in.set()
        self.viewer, self.recording = Witness(), Witness()
        self.settings = SharedSettings(LiveSettings("first"))
        self.stylist = LiveStylist(lambda name: Green(), Green(), self.settings, Metrics(), fade_s=0.05)
        self.pipeline = Pipeline(self.camera, self.stylist, Outputs([self.viewer]), OPTIONS, reopen=self.reopen)
        self.pipeline.input._every_s = 0.01
        self.controller = Controller(self.settings, ["first", "second"])
        self.session = LiveSession(self.pipeline, self.settings, self.controller, self.record, folder, NoKeys())
        self.pipeline.start()
        until(lambda: self.viewer.count > 2, "the first frames")

    def reopen(self) -> Source:
        if not self.plugged_in.is_set():
            raise SourceUnavailable("unplugged")
        self.camera = RawCamera()
        return self.camera

    def record(self, path: Path) -> Sink:
        return self.recording

    def do(self, action: str) -> None:
        """A key, or something that happens to the camera."""
        if action == "stall":
            self.camera.flowing.clear()
        elif action == "flow":
            self.camera.flowing.set()
        elif action == "unplug":
            self.plugged_in.clear()
            self.camera.lost = True
        elif action == "plug in":
            self.plugged_in.set()
        elif action.startswith("room "):
            self.controller.perform("room", what=action[5:])
        else:
            self.controller.press(action)
        self.session.tick(0.001)

    def pass_frames(self, frames: int) -> None:
        """Let so many frames go out."""
        seen = self.viewer.count
        until(lambda: self.viewer.count >= seen + frames, "more frames")

    def end(self) -> None:
        self.pipeline.stop()
        self.session.close()
        self.pipeline.join()


ACTIONS = ["b", "c", "[", "]", "space", "s", "r", "n", "stall", "flow", "unplug", "plug in"]
ACTIONS += ["u", "e", "room raw", "room blur", "room transparent"]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 12)), max_size=14), st.sampled_from([1.0, 0.2]))
def test_no_unmarked_raw_pixel_reaches_a_sink_or_a_file(steps: list[tuple[str, int]], strength: float) -> None:
    """Whatever keys, stalls, losses and switches come in whatever order."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        try:
            run.settings.change(strength=strength)
            for action, frames in steps:
                run.do(action)
                run.pass_frames(frames)
            run.do("s")
        finally:
            run.end()
        assert run.viewer.unmarked == []
        assert run.recording.unmarked == []
        for path in Path(folder).glob("*.png"):
            image = cv2.imread(str(path))
            assert image is not None
            marks = ("-raw-camera", "-split-screen", "-weak-style", "-raw-person", "-raw-room")
            told = any(mark in path.name for mark in marks)
            assert told or not shows_raw(image.astype(np.uint8)), path.name


def test_a_camera_that_stalls_in_bypass_shows_nobody_for_long_after_it(tmp_path: Path) -> None:
    """Bypass goes off while no frame comes: the raw picture keeps its mark, and the card soon takes its place."""
    run = Run(tmp_path)
    run.do("b")
    until(lambda: run.viewer.last is not None and run.viewer.last.mark == "Raw camera", "the raw camera")
    run.do("stall")
    run.do("b")
    card = holding_card(64, 48, "One moment, please")
    until(lambda: run.viewer.last is not None and np.array_equal(run.viewer.last.image, card), "the card")
    assert run.viewer.last is not None
    assert run.viewer.last.mark == ""
    run.do("s")
    saved = cv2.imread(str(next(tmp_path.glob("*.png"))))
    assert saved is not None
    run.end()
    assert np.array_equal(saved, card), "the snapshot is what viewers see"
    assert run.viewer.unmarked == []
