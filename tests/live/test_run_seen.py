"""A whole run as its user sees it: the page in a browser, the window on a display, keys pressed in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import mss
import numpy as np
import pytest

from livefilter import Catalogue, Styler
from livefilter.frame import Image
from tests.cli.test_run import environment
from tests.fakes import until
from tests.web.test_page_in_chromium import seen

WIDTH, HEIGHT = 640, 480
DEMO = Path(__file__).resolve().parents[2] / "livefilter" / "capture" / "assets" / "demo.jpg"


class Program:
    """A running `livefilter run` whose output is read line by line."""

    def __init__(self, tmp_path: Path, *arguments: str, display: str | None = None) -> None:
        variables = environment(tmp_path) | ({"DISPLAY": display} if display else {})
        command = [sys.executable, "-m", "livefilter", "run", "--backend", "onnxruntime", *arguments]
        self.process = subprocess.Popen(
            command, cwd=tmp_path, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.lines: list[str] = []
        self.output = ""
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr,)),
            threading.Thread(target=self._collect, args=(self.process.stdout,)),
        ]
        for reader in self._readers:
            reader.start()

    def said(self, words: str) -> str:
        """The first line on stderr with these words, once it has been said."""
        until(lambda: any(words in line for line in self.lines) or self.process.poll() is not None, words)
        return next(line for line in self.lines if words in line)

    def end(self) -> int:
        """Wait for the end, by force if need be; the exit code."""
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join(60)
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                pipe.close()

    def _read(self, pipe: Any) -> None:
        for line in pipe:
            self.lines.append(line.strip())

    def _collect(self, pipe: Any) -> None:
        self.output = pipe.read()


@pytest.fixture
def still(tmp_path: Path) -> tuple[Path, Image, Image]:
    """A picture file, its pixels, and what the bundled style makes of them offline at the same working size."""
    photo = cv2.imread(str(DEMO))
    assert photo is not None
    raw = np.asarray(cv2.resize(photo[:384], (WIDTH, HEIGHT)), np.uint8)
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), raw)
    styler = Styler(Catalogue().get("hayao").network(), "onnxruntime", 240)
    styled = styler(raw)
    styler.close()
    return path, raw, styled


def distance(one: Image, other: Image) -> float:
    """Mean absolute difference in grey levels; infinite when the sizes differ."""
    return float(np.abs(one.astype(int) - other).mean()) if one.shape == other.shape else float("inf")


def test_a_browser_sees_styled_frames(tmp_path: Path, chromium: Any, still: tuple[Path, Image, Image]) -> None:
    """What Chromium shows is the style applied offline to the same picture, and not the picture."""
    path, raw, styled = still
    program = Program(tmp_path, "-i", str(path), "-o", "page:0", "--json", "--process-size", "240", "--duration", "280")
    try:
        url = program.said("live page").split()[-1]
        chromium.get(url)
        looks: list[Image] = []

        def is_styled() -> bool:
            looks.append(seen(chromium))
            return distance(looks[-1], styled) < 4

        until(is_styled, "the styled picture in Chromium")
        assert distance(looks[-1], raw) > 2 * distance(looks[-1], styled)
        until(lambda: chromium.find_element("id", "status").text == "Live", "the page's word for it")
    finally:
        program.process.terminate()
        assert program.end() == 0
    assert json.loads(program.output)["page"] == url


def test_a_browser_sees_the_demo_scene_move(tmp_path: Path, chromium: Any) -> None:
    """Successive looks at the page differ: frames are live."""
    program = Program(tmp_path, "-i", "demo", "-o", "page:0", "--json", "--process-size", "240", "--duration", "280")
    try:
        chromium.get(program.said("live page").split()[-1])
        looks: list[Image] = []

        def differs() -> bool:
            image = seen(chromium)
            if image.size:  # none while the page changes from one stream to the next
                looks.append(image)
            return len(looks) > 1 and distance(looks[0], looks[-1]) > 1

        until(differs, "a different picture")
    finally:
        program.process.terminate()
        assert program.end() == 0


class Screen:
    """The preview window on a display: its pixels and its keys."""

    def __init__(self, display: str) -> None:
        self._display = display
        self._id = self._xdotool("search", "--sync", "--onlyvisible", "--name", "^livefilter$").split()[-1]
        self._xdotool("windowfocus", "--sync", self._id)

    def press(self, key: str) -> None:
        self._xdotool("key", key)

    def press_unseen(self, key: str) -> None:
        """Press a key that changes nothing to wait for, and leave the program time to look for it."""
        self.press(key)
        threading.Event().wait(1.0)

    def step(self, key: str) -> None:
        """Press a key and wait until it has changed the picture: OpenCV keeps one key between two looks for keys."""
        before = self._seen()
        self.press(key)
        self.shows(lambda found: distance(found, before) > 0.3, f"a change after {key}")

    def shows(self, reached: Callable[[Image], bool], what: str) -> None:
        """Wait until the window looks as it should."""
        until(lambda: reached(self._seen()), what)

    def _seen(self) -> Image:
        words = self._xdotool("getwindowgeometry", "--shell", self._id)
        place = dict(line.split("=") for line in words.split())
        box = dict(
            zip(("left", "top", "width", "height"), (int(place[n]) for n in ["X", "Y", "WIDTH", "HEIGHT"]), strict=True)
        )
        with mss.MSS(display=self._display) as screen:
            return np.asarray(screen.grab(box))[:, :, :3]

    def _xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout


def near(wanted: Image) -> Callable[[Image], bool]:
    """Whether what is seen is this picture."""
    return lambda found: distance(found, wanted) < 3  # a mark in the corner is not a difference


def test_every_key_works_in_the_preview_window(tmp_path: Path, xvfb: str, still: tuple[Path, Image, Image]) -> None:
    """Each key changes what the window shows as the help says; r and s leave files; q ends with exit code 0."""
    if shutil.which("xdotool") is None:
        pytest.skip("no xdotool here: install the package xdotool")
    path, raw, styled = still
    folder = tmp_path / "files"
    program = Program(
        tmp_path, "-i", str(path), "-o", "window", "--json", "--process-size", "240", "--duration", "280",
        "--recordings", str(folder), display=xvfb,
    )  # fmt: skip
    try:
        program.said("preview window")
        screen = Screen(xvfb)
        screen.shows(near(styled), "the styled picture")
        screen.press("b")
        screen.shows(near(raw), "the raw picture after b")
        screen.press("b")
        screen.shows(near(styled), "the styled picture after b again")
        screen.press("m")
        screen.shows(near(styled[:, ::-1]), "the mirrored preview after m")
        screen.press("m")
        screen.shows(near(styled), "no mirror after m again")
        screen.press("c")
        half = np.hstack([raw[:, : WIDTH // 2], styled[:, WIDTH // 2 :]])
        screen.shows(near(half), "the split screen after c")
        screen.press("c")
        screen.shows(near(styled), "no split screen after c again")
        for _ in range(10):
            screen.step("bracketleft")
        screen.shows(near(raw), "strength 0 after ten times [")
        for _ in range(10):
            screen.step("bracketright")
        screen.shows(near(styled), "strength 1 after ten times ]")
        screen.press("h")
        screen.shows(lambda found: distance(found, styled) > 4, "the help after h")
        screen.press("h")
        screen.shows(near(styled), "no help after h again")
        screen.press("r")
        until(lambda: any(folder.glob("*.mp4")), "a recording after r")
        screen.step("space")  # the mark in the corner
        screen.press_unseen("b")
        screen.press("s")
        until(lambda: any(folder.glob("*.png")), "a snapshot after s")
        screen.shows(near(styled), "the frozen styled picture although b was pressed")
        screen.press("space")
        screen.shows(near(raw), "the raw picture once it is no longer frozen")
        screen.press("b")
        screen.shows(near(styled), "the styled picture after b")
        for key in ("1", "n", "p"):
            screen.press_unseen(key)
        screen.shows(near(styled), "the style chosen again by 1, n and p")
        screen.press("q")
        assert program.end() == 0
    finally:
        program.process.kill()
    assert distance(np.asarray(cv2.imread(str(next(folder.glob("*.png")))), np.uint8), styled) < 1
    with av.open(str(next(folder.glob("*.mp4")))) as recording:
        assert sum(1 for _ in recording.decode(video=0)) > 3
    assert json.loads(program.output)["style"] == "hayao"
