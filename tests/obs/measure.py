"""How far lips are from the sound in OBS's own recording: python -m tests.obs.measure [SECONDS] [CASE...].

A screen that flashes is filmed by livefilter, goes over its page into OBS as a media source, and is recorded with the
microphone, which hears a beep at each flash. Needs what tests/obs/real_obs.py needs. The flashes and beeps themselves
are timed, too, and what they are apart is taken off. Prints a table for docs/obs.md.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from livefilter.obs.client import ObsClient
from tests.obs.flash_and_beep import FlashAndBeep
from tests.obs.real_obs import SINK, RealObs
from tests.obs.run_beside import RunBeside
from tests.output.video.sync import beeps, flashes

SCREEN = ("-i", "screen", "--fps", "30", "--process-size", "180", "--threads", "1")
SOUNDS = ("as it is", "in time", "in time, calibrated")
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


def lateness(obs: RealObs, screen: str, seconds: float) -> list[float]:
    """How late each flash of a recording is behind its beep, in milliseconds."""
    with FlashAndBeep(screen, obs.server, SINK) as both:
        path = asyncio.run(recorded(obs, seconds))
    assert both.beeps, "nothing was heard of the beeps"
    apart = float(np.median([beep - flash for flash, beep in zip(both.flashes, both.beeps, strict=False)]))
    seen, heard = flashes(path), beeps(path)
    late = [min((flash - beep + apart for flash in seen), key=abs) for beep in heard]
    return [each * 1000 for each in late if abs(each) < 0.79]


def row(case: str, what: str, late: list[float], run: RunBeside) -> str:
    """One line of the table."""
    state = run.state()
    load, found = os.getloadavg()[0], state["obs"]
    p95 = np.percentile(np.abs(late), 95)
    return (
        f"| {case} | {what} | {len(late)} | {np.median(late):+.0f} | {p95:.0f} | {min(late):+.0f} to {max(late):+.0f} "
        f"| {found['delay_ms']} of which way {found['path_ms']} | {found['offset_ms']} | {load:.0f} |"
    )


def main() -> None:
    """Measure each case without, with, and after a calibration."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    folder = Path(tempfile.mkdtemp())
    out = sys.stdout
    out.write(
        "| case | sound | flashes | median ms | p95 of abs | range | delay | offset | load |\n" + "|---" * 9 + "|\n"
    )
    with display("1280x720") as for_obs, display("320x180") as screen, RealObs(folder / "obs", for_obs) as obs:
        asyncio.run(prepare(obs))
        for case in sys.argv[2:] or CASES:
            words, slow_s = CASES[case]
            for what in SOUNDS:
                sound = "off" if what == "as it is" else "Mic"
                settings = f'add_source = true\nmicrophone = "{sound}"\n'
                with RunBeside(folder, obs, *SCREEN, *words, settings=settings, display=screen, slow_s=slow_s) as run:
                    run.until(lambda state: (state["obs"] or {}).get("delay_ms"), "delay")
                    if sound != "off":
                        run.until(lambda state: state["obs"]["offset_ms"], "offset")
                    asyncio.run(asyncio.sleep(8.0))
                    if what == "in time, calibrated":
                        out.write(f"{calibrated(run, obs, screen)}\n")
                        asyncio.run(asyncio.sleep(8.0))
                    out.write(row(case, what, lateness(obs, screen, seconds), run) + "\n")
                    out.flush()
            (folder / "state" / "livefilter" / "obs.json").unlink(missing_ok=True)


def calibrated(run: RunBeside, obs: RealObs, screen: str) -> str:
    """What `livefilter obs calibrate` says."""
    command = [sys.executable, "-m", "livefilter", "obs", "calibrate", "--config", str(run.config), "--page", run.page]
    with FlashAndBeep(screen, obs.server, SINK, seed=2):
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
