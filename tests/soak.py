"""Runs livefilter for minutes with its page open in Chromium and shows whether anything grows.

    python -m tests.soak CLIP --minutes 10

Prints one line per sample: frame age as the page's server sees it, rates, memory; then the figures of the first and the
last third side by side. Exit code 1 when the age or the memory of the last third is more than 1.5 times the first's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import urllib.request
from typing import Any

import psutil

from tests.browser import open_chromium

SAMPLE_S = 10.0


def sample(process: psutil.Process, port: int) -> dict[str, float]:
    """What the page's server says now, and the program's memory in MB."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        health: dict[str, Any] = json.load(answer)
    return {**health, "rss_mb": process.memory_info().rss / 1e6}


def main() -> int:
    """Run, sample, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--port", type=int, default=8466)
    given, extra = parser.parse_known_args()
    command = [
        sys.executable,
        "-m",
        "livefilter",
        "run",
        "-i",
        given.clip,
        "--loop",
        "-o",
        f"page:{given.port}",
        "--json",
    ]
    seconds = given.minutes * 60
    pause = threading.Event()
    samples: list[dict[str, float]] = []
    with subprocess.Popen([*command, "--duration", str(seconds), *extra], stdout=subprocess.PIPE, text=True) as run:
        pause.wait(8)
        with open_chromium() as browser:
            browser.get(f"http://127.0.0.1:{given.port}/")
            while run.poll() is None and len(samples) < (seconds - 8) / SAMPLE_S - 1:
                samples.append(sample(psutil.Process(run.pid), given.port))
                sys.stdout.write(json.dumps(samples[-1]) + "\n")
                sys.stdout.flush()
                pause.wait(SAMPLE_S)
        report = json.loads(run.communicate(timeout=60)[0])
    sys.stdout.write(json.dumps(report) + "\n")
    third = max(1, len(samples) // 3)
    grew = False
    for figure in ("age_s", "rss_mb"):
        first = statistics.median(s[figure] for s in samples[:third])
        last = statistics.median(s[figure] for s in samples[-third:])
        grew = grew or last > 1.5 * first
        sys.stdout.write(f"{figure}: first third {first:.3f}, last third {last:.3f}\n")
    return int(grew or run.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
