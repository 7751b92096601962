"""Run as `python -m tests.tensorrt.engine_process FOLDER LOG [WAIT_FOR]`: obtains the test engine in its own process.

Prints what the store says, "building" when it builds, and "built" or "reused"; each build adds a line to LOG. A build
lasts until WAIT_FOR exists.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from livefilter.tensorrt.store import BuiltPlan, EngineStore
from tests.tensorrt.engines import KEY, built_plan


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(folder: Path, log: Path, wait_for: Path | None) -> None:
    """Obtain the engine and tell how."""

    def build() -> BuiltPlan:
        with log.open("a") as stream:
            stream.write("build\n")
        say("building")
        deadline = time.monotonic() + 250
        while wait_for is not None and not wait_for.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return built_plan()

    _, built = EngineStore(folder).obtain(KEY, "test", build, say)
    say("built" if built else "reused")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
