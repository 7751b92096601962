"""What the way into OBS adds each time that OBS opens it: python -m tests.obs.openings WAY [OPENINGS] [SECONDS].

WAY is camera (in a guest, see tests/system), media, chromium (the page in a browser that OBS films), or one of TRIED.
An output of livefilter's shows a picture that flashes while the microphone beeps; OBS opens the source anew again and
again, and its recording tells how late each flash is. Needs what tests/obs/real_obs.py needs. Prints one line for each
opening, for docs/obs.md.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.frame import Frame
from livefilter.obs.client import ObsClient
from livefilter.obs.sources import KINDS, Offer
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.page import PageSink
from tests.fakes import until
from tests.obs.flash_and_beep import FlashAndBeep, Light
from tests.obs.measure import display, prepare
from tests.obs.real_obs import HEIGHT, SINK, WIDTH, RealObs
from tests.output.video.sync import beeps, flashes

FPS = 30.0
SETTLE_S = 3.0
OFFSET_MS = 100
CAMERA = "/dev/video10"
# Settings that were tried, in place of livefilter's own.
TRIED = {"arrival": {"ffmpeg_options": "probesize=32 analyzeduration=0 fflags=nobuffer use_wallclock_as_timestamps=1"}}


class Lamp(Light):
    """An output of livefilter's that gets a dark or a bright picture 30 times a second, and at once at each change."""

    def __init__(self, sink: Sink, width: int, height: int) -> None:
        self._pictures = [np.full((height, width, 3), level, np.uint8) for level in (24, 235)]
        self._sink, self._bright, self._number = sink, False, 0
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def show(self, *, bright: bool) -> float:
        with self._lock:
            self._bright = bright
            self._send()
            return time.perf_counter()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(10)

    def _beat(self) -> None:
        due = time.perf_counter()
        while not self._closing.wait(max(0.0, due - time.perf_counter())):
            with self._lock:
                self._send()
            due = max(due + 1 / FPS, time.perf_counter())

    def _send(self) -> None:
        self._number += 1
        self._sink.send(Frame(self._pictures[self._bright], self._number, time.perf_counter()))


async def opened(
    obs: RealObs, kind: str, settings: dict[str, Any], openings: int, seconds: float
) -> tuple[Path, list[float]]:
    """A recording in which the source is made anew `openings` times, and when each of them had settled."""
    client = await ObsClient.connect(obs.address, obs.password)
    # As livefilter does: OBS puts the sound where it belongs at the second change, and may be late with it before.
    for offset in (OFFSET_MS - 1, OFFSET_MS):
        await client.request("SetInputAudioSyncOffset", inputName="Mic", inputAudioSyncOffset=offset)
        await asyncio.sleep(0.2)
    await client.request("StartRecord")
    began: list[float] = []
    for number in range(openings):
        name = f"livefilter {number}"
        await client.request("CreateInput", sceneName="Scene", inputName=name, inputKind=kind, inputSettings=settings)
        await asyncio.sleep(SETTLE_S)
        began.append(time.perf_counter())
        await asyncio.sleep(seconds)
        await client.request("RemoveInput", inputName=name)
        await asyncio.sleep(0.3 + 0.037 * number)
    path = Path(str((await client.request("StopRecord"))["outputPath"]))
    await client.close()
    await asyncio.sleep(2.0)
    return path, began


def ways(path: Path, both: FlashAndBeep) -> list[tuple[float, float]]:
    """When each flash was shown, by our clock, and how many milliseconds later than its sound OBS recorded it."""
    seen, heard = np.array(flashes(path)), np.array(beeps(path))
    ours = np.array(both.beeps)
    # The pauses are never the same, so one distance between the clocks fits best by far.
    shifts = (ours[:, None] - heard[None, :]).ravel()
    misfit = [float(np.median([np.abs(ours - beep - shift).min() for beep in heard])) for shift in shifts]
    shift = float(shifts[int(np.argmin(misfit))])
    found = []
    for beep in heard:
        number = int(np.abs(ours - beep - shift).argmin())
        if number >= len(both.flashes) or not len(seen):
            continue
        nearest = seen[np.abs(seen - beep + OFFSET_MS / 1000).argmin()]
        late = float(nearest - beep + OFFSET_MS / 1000 + ours[number] - both.flashes[number])
        if abs(late) < 0.3:
            found.append((both.flashes[number], late * 1000))
    return found


@contextmanager
def page_in_chromium(page: str, screen: str, folder: Path) -> Iterator[None]:
    """Chromium that shows the clean page over the whole of a display, as a stand-in for OBS's Browser source."""
    words = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--kiosk"]
    words += [f"--window-size={WIDTH},{HEIGHT}", "--window-position=0,0", f"--user-data-dir={folder / 'chromium'}"]
    environment = os.environ | {"DISPLAY": screen, "HOME": str(folder)}
    process = subprocess.Popen(
        ["chromium", *words, f"{page}?clean=1"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextmanager
def opened_way(way: str, folder: Path) -> Iterator[tuple[Sink, str, dict[str, Any]]]:
    """The output, and the kind and settings of OBS's source for it."""
    options = SinkOptions(WIDTH, HEIGHT, FPS)
    if way == "camera":
        from livefilter.output.camera.virtual_camera import VirtualCameraSink

        with VirtualCameraSink(CAMERA, options) as camera:
            yield camera, KINDS["camera"], Offer(camera=camera.device).settings("camera")
        return
    with PageSink("0", options) as page:
        if way == "chromium":
            with display(f"{WIDTH}x{HEIGHT}") as screen, page_in_chromium(page.url, screen, folder):
                until(page.watched, "that Chromium watches")
                yield page, "xshm_input", {"advanced": True, "server": screen, "screen": 0, "show_cursor": False}
        else:
            yield page, KINDS["media"], Offer(page=page.url).settings("media") | TRIED.get(way, {})


def main() -> None:
    """Measure one way."""
    way = sys.argv[1] if len(sys.argv) > 1 else "media"
    openings = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 7.0
    folder, out = Path(tempfile.mkdtemp()), sys.stdout
    with opened_way(way, folder) as (sink, kind, settings), display("640x360") as screen:
        with RealObs(folder / "obs", screen) as obs:
            asyncio.run(prepare(obs))
            load = os.getloadavg()[0]
            with FlashAndBeep(Lamp(sink, WIDTH, HEIGHT), obs.server, SINK, every_s=1.0) as both:
                path, began = asyncio.run(opened(obs, kind, settings, openings, seconds))
        found = ways(path, both)
    medians = []
    for number, at in enumerate(began):
        late = [each for shown, each in found if at <= shown <= at + seconds]
        if late:
            medians.append(float(np.median(late)))
            out.write(
                f"opening {number}: {medians[-1]:.0f} ms ({len(late)} flashes, {min(late):.0f} to {max(late):.0f})\n"
            )
    if not medians:
        sys.exit(f"{way}: OBS recorded no flash beside its beep; the machine may be too busy, load {load:.1f}")
    out.write(
        f"{way}: median {np.median(medians):.0f} ms, openings from {min(medians):.0f} to {max(medians):.0f}, "
        f"all flashes {min(each for _, each in found):.0f} to {max(each for _, each in found):.0f}, load {load:.1f}\n"
    )


if __name__ == "__main__":
    main()
