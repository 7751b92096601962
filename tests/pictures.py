"""Takes the documents' pictures of programs anew, from real runs: python -m tests.pictures [page] [obs] [person-room].

page: docs/images/page.jpg, the live page in Chromium. obs: docs/images/obs.jpg, a real OBS Studio on a display of its
own with livefilter's picture in its scene. person-room: docs/images/person-room.jpg, what `livefilter render` makes of
the demo photo with --person and --room. The input is the demo scene where it begins, standing still. Needs what
tests/browser.py and tests/obs/real_obs.py need. The pictures of styles are made by tests/styles/golden.py and
tools/person/figures.py.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import mss
import numpy as np

from livefilter import capture
from livefilter.capture.base import SourceOptions
from livefilter.capture.demo import DemoSource
from livefilter.frame import Image
from livefilter.obs.client import ObsClient
from tests.browser import open_chromium
from tests.live.test_run_seen import Program
from tests.obs.measure import display, prepare
from tests.obs.real_obs import RealObs
from tests.obs.run_beside import RunBeside

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SLOW = ("--process-size", "360", "--fps", "10")
# OBS does not fit into less, and its picture need not be as large.
PAGE_SIZE, OBS_SIZE, OBS_SHOWN = (1280, 800), (1080, 730), (864, 584)
WAIT_S = 180.0
# Until the graph has a line, and until OBS has drawn what it was given.
_GRAPH_S, _DRAWN_S = 12.0, 6.0
# How long to wait for a moment in which a busy machine misses nothing.
_CALM_S = 45.0
_QUALITY = 90
PHOTO = Path(capture.__file__).parent / "assets" / "demo.jpg"
# Of the demo photo: top, bottom, left and right; how wide each of the four is, and the squares behind a cut-out.
_SHOWN, _WIDE, _SQUARE = (0, 302, 60, 420), 360, 12
_BEHIND = "return document.getElementById('governor').textContent"
_READY = """
const tiles = [...document.querySelectorAll("#tiles img")];
return document.body.dataset.state === "live" && tiles.length > 0
  && tiles.every((each) => each.src.startsWith("blob:"));
"""


def until(ready: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    ends_s = time.monotonic() + WAIT_S
    while not ready():
        if time.monotonic() > ends_s:
            raise TimeoutError(f"No {what} within {WAIT_S:g} s.")
        time.sleep(0.2)


def still(folder: Path) -> tuple[str, ...]:
    """Flags for a run over a still of the demo scene."""
    path = folder / "demo.png"
    with DemoSource("demo", SourceOptions(0, 0, 10.0)) as source:
        cv2.imwrite(str(path), source.read().image)
    return ("-i", str(path), *SLOW)


def page(folder: Path) -> Image:
    """The live page as a person sees it. Returns: (H, W, 3) uint8 BGR."""
    program = Program(folder, *still(folder), "-o", "page:0", "--duration", "600", "--json")
    try:
        address = program.said("live page").split()[-1]
        with open_chromium() as browser:
            width, height = PAGE_SIZE
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(address)
            until(lambda: browser.execute_script(_READY), "picture of every style on the page")
            time.sleep(_GRAPH_S)
            calm_s = time.monotonic() + _CALM_S
            while browser.execute_script(_BEHIND) and time.monotonic() < calm_s:
                time.sleep(0.2)
            shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(shot["data"]), np.uint8), 1), np.uint8)
    finally:
        program.process.terminate()
        program.end()


def obs(folder: Path) -> Image:
    """OBS with our picture in its scene, put there by the action. Returns: (H, W, 3) uint8 BGR."""

    async def furnish(studio: RealObs) -> None:
        client = await ObsClient.connect(studio.address, studio.password)
        await client.request("SetVideoSettings", baseWidth=1280, baseHeight=720, outputWidth=1280, outputHeight=720)
        for scene in ("Gaming", "Interview", "Be right back"):
            await client.request("CreateScene", sceneName=scene)
        await client.close()

    with display("{}x{}".format(*OBS_SIZE)) as screen, RealObs(folder / "obs", screen) as studio:
        asyncio.run(prepare(studio))
        asyncio.run(furnish(studio))
        with RunBeside(folder, studio, *still(folder), settings="add_source = true\n") as run:
            run.until(lambda state: ((state["obs"] or {}).get("offset_ms") or 0) > 0, "offset")
            time.sleep(_DRAWN_S)
            with mss.MSS(display=screen) as camera:
                shot = np.asarray(camera.grab(camera.monitors[0]), np.uint8)[..., :3]
            return np.asarray(cv2.resize(shot, OBS_SHOWN, interpolation=cv2.INTER_AREA), np.uint8)


def person_room(folder: Path) -> Image:
    """A raw room, a raw person, a blurred room, and a room cut away, side by side."""
    photo = cv2.imread(str(PHOTO))
    assert photo is not None
    top, bottom, left, right = _SHOWN
    near = photo[top:bottom, left:right]
    size = 2 * near.shape[1], 2 * near.shape[0]
    cv2.imwrite(str(folder / "near.png"), cv2.resize(near, size, interpolation=cv2.INTER_CUBIC))
    down, across = np.indices((size[1], size[0])) // _SQUARE
    squares = np.where((down + across) % 2, 230, 255)
    made, looks = [], (("--room", "raw"), ("--person", "raw"), ("--room", "blur"), ("--room", "transparent"))
    for number, options in enumerate(looks):
        out = folder / f"{number}.png"
        command = [sys.executable, "-m", "livefilter", "render", str(folder / "near.png"), str(out), *options]
        subprocess.run([*command, "--style", "hayao", "--process-size", "360"], check=True, capture_output=True)
        drawn = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
        assert drawn is not None
        if drawn.shape[2] == 4:
            share = drawn[..., 3:] / 255.0
            drawn = np.rint(drawn[..., :3] * share + squares[..., None] * (1.0 - share)).astype(np.uint8)
        made.append(cv2.resize(drawn, (_WIDE, round(_WIDE * size[1] / size[0])), interpolation=cv2.INTER_AREA))
    return np.asarray(np.hstack(made), np.uint8)


def main(words: Sequence[str] | None = None) -> None:
    """Take what is named, or all."""
    makers = {"page": page, "obs": obs, "person-room": person_room}
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=main.__doc__)
    parser.add_argument("pictures", nargs="*", metavar="PICTURE", help=f"of {', '.join(makers)}")
    for name in parser.parse_args(words).pictures or makers:
        with tempfile.TemporaryDirectory() as folder:
            picture = makers[name](Path(folder))
        path = IMAGES / f"{name}.jpg"
        # 4:4:4: halved colours smear the letters.
        flags = [
            cv2.IMWRITE_JPEG_QUALITY,
            _QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
        cv2.imwrite(str(path), picture, flags)
        sys.stdout.write(f"{path}: {picture.shape[1]}x{picture.shape[0]}\n")


if __name__ == "__main__":
    main()
