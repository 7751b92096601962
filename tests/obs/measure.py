"""How far lips are from the sound in OBS's own recording: python -m tests.obs.measure [--help].

A screen that flashes is filmed by livefilter, goes over its page into OBS as a media source, and is recorded with the
microphone, which hears a beep at each flash. Needs what tests/obs/real_obs.py needs. The flashes and beeps themselves
are timed, too, and what they are apart is taken off. Prints a table for docs/obs.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from livefilter.obs.client import ObsClient
from tests.obs.flash_and_beep import FlashAndBeep, Screen
from tests.obs.real_obs import SINK, RealObs
from tests.obs.run_beside import RunBeside
from tests.output.video.sync import beeps, flashes

SCREEN = ("-i", "screen", "--fps", "30", "--process-size", "180", "--threads", "1")
SOUNDS = ("off", "on", "calibrated")
CASES = {"lite": (("-s", "hayao", "--network", "lite"), 0.0), "200ms": (("--backend", "identity"), 0.2)}


@contextmanager
def display(size: str) -> Iterator[str]:
    """An X display of its own."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        yield f":{os.read(reading, 16).decode().strip()}"
    finally:
        server.terminate()
        server.wait(30)


async def recorded(obs: RealObs, seconds: float) -> Path:
    """A recording of OBS's."""
    client = await ObsClient.connect(obs.address, obs.password)
    await client.request("StartRecord")
    await asyncio.sleep(seconds)
    path = Path(str((await client.request("StopRecord"))["outputPath"]))
    await client.close()
    await asyncio.sleep(2.0)
    return path


def lateness(obs: RealObs, screen: str, seconds: float, seed: int) -> list[float]:
    """How late each flash of a recording is behind its beep, in milliseconds."""
    with FlashAndBeep(Screen(screen), obs.server, SINK, seed=seed) as both:
        path = asyncio.run(recorded(obs, seconds))
    assert both.beeps, "nothing was heard of the beeps"
    apart = float(np.median([beep - flash for flash, beep in zip(both.flashes, both.beeps, strict=False)]))
    seen, heard = flashes(path), beeps(path)
    late = [min((flash - beep + apart for flash in seen), key=abs) for beep in heard]
    return [each * 1000 for each in late if abs(each) < 0.79]


def row(case: str, what: str, late: list[float], states: list[dict[str, Any]]) -> str:
    """One line of the table. states: of the run's connection to OBS meanwhile."""
    delay = float(np.mean([each["delay_ms"] - each["path_ms"] for each in states]))
    own = float(np.mean([(each["offset_ms"] or 0) - each["users_ms"] for each in states]))
    p95 = np.percentile(np.abs(late), 95)
    return (
        f"| {case} | {what} | {len(late)} | {np.median(late):+.0f} | {p95:.0f} | {min(late):+.0f} to {max(late):+.0f} "
        f"| {delay:.0f} | {own:.0f} | {np.median(late) + own - delay:.0f} | {os.getloadavg()[0]:.0f} |"
    )


@contextmanager
def watched(run: RunBeside) -> Iterator[list[dict[str, Any]]]:
    """What the run says of OBS in each second of the block."""
    seen: list[dict[str, Any]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            obs = run.state().get("obs") or {}
            if obs.get("delay_ms") is not None:
                seen.append(obs)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(30)


def main() -> None:
    """Measure with the sound left alone, kept in time, and calibrated; each time in an OBS that was just started."""
    parser = argparse.ArgumentParser(prog="python -m tests.obs.measure", description=main.__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--sounds", nargs="+", choices=SOUNDS, default=SOUNDS)
    parser.add_argument("--seconds", type=float, default=60.0, help="that each recording lasts")
    parser.add_argument("--times", type=int, default=1, help="how often each is measured")
    given = parser.parse_args()
    sys.stdout.write(
        "| case | sound | flashes | median ms | p95 of abs | range | delay | offset | so the way | load |\n"
        + "|---" * 10
        + "|\n"
    )
    with display("1280x720") as for_obs, display("320x180") as screen:
        for case in given.cases or CASES:
            for sound in given.sounds:
                for number in range(given.times):
                    folder = Path(tempfile.mkdtemp())
                    with RealObs(folder / "obs", for_obs) as obs:
                        measure(case, sound, obs, screen, folder, given.seconds, number)


def measure(case: str, sound: str, obs: RealObs, screen: str, folder: Path, seconds: float, seed: int) -> None:
    """One recording, and its line of the table."""
    asyncio.run(prepare(obs))
    words, slow_s = CASES[case]
    settings = f'add_source = true\nmicrophone = "{"off" if sound == "off" else "Mic"}"\n'
    with RunBeside(folder, obs, *SCREEN, *words, settings=settings, display=screen, slow_s=slow_s) as run:
        run.until(lambda state: (state["obs"] or {}).get("delay_ms"), "delay")
        if sound != "off":
            run.until(lambda state: state["obs"]["offset_ms"], "offset")
        asyncio.run(asyncio.sleep(8.0))
        if sound == "calibrated":
            sys.stdout.write(f"{calibrated(run, obs, screen)}\n")
            asyncio.run(asyncio.sleep(8.0))
        with watched(run) as states:
            late = lateness(obs, screen, seconds, seed)
        sys.stdout.write(row(case, sound, late, states) + "\n")
        sys.stdout.flush()


def calibrated(run: RunBeside, obs: RealObs, screen: str) -> str:
    """What `livefilter obs calibrate` says."""
    command = [sys.executable, "-m", "livefilter", "obs", "calibrate", "--config", str(run.config), "--page", run.page]
    with FlashAndBeep(Screen(screen), obs.server, SINK, seed=2):
        done = subprocess.run(
            [*command, "--seconds", "30"], env=run.environment, capture_output=True, text=True, timeout=200, check=False
        )
    return done.stdout.replace("\n", " ") + done.stderr


async def prepare(obs: RealObs) -> None:
    """A microphone, and nothing else that makes a sound."""
    for _ in range(100):
        client = await ObsClient.connect(obs.address, obs.password)
        try:
            inputs = (await client.request("GetInputList"))["inputs"]
            for each in inputs:
                if each["inputName"] == "Mic":
                    return  # from a try before
                await client.request("SetInputMute", inputName=each["inputName"], inputMuted=True)
            microphone = {"device_id": f"{SINK}.monitor"}
            await client.request(
                "CreateInput",
                sceneName="Scene",
                inputName="Mic",
                inputKind="pulse_input_capture",
                inputSettings=microphone,
            )
            return
        except Exception:
            await asyncio.sleep(0.2)  # its socket listens before it is ready
        finally:
            await client.close()


if __name__ == "__main__":
    main()
