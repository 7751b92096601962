"""The other programs of a game night, fixed so that every governor meets the same: what `--load game` starts."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

import psutil

from livefilter.closeable import Closeable

STEP_S = 10.0
_END_S = 3.0


@dataclass(frozen=True, slots=True)
class LoadStep:
    """Ten seconds of load.

    name: for tables and plots. programs: arguments of livefilter.bench.load_program, one process each.
    """

    name: str
    programs: tuple[tuple[str, ...], ...] = ()


def _hogs(duty: float) -> tuple[tuple[str, ...], ...]:
    return (("hog", f"{duty}"),) * 2


GAME = (
    LoadStep("quiet"),
    LoadStep("hogs 30 %", _hogs(0.3)),
    LoadStep("hogs 60 %", _hogs(0.6)),
    LoadStep("hogs 90 %", _hogs(0.9)),
    LoadStep("memory", (("memory",),)),
    LoadStep("x264", (("x264",),)),
    LoadStep("quiet after", ()),
    LoadStep("quiet after", ()),
)
# The load proper; what follows it shows how the picture comes back.
GAME_STEPS = 6


class Load(Closeable):
    """Runs the programs of one step at a time."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def begin(self, step: LoadStep) -> None:
        """End what runs and start the programs of a step; they need a moment to get going."""
        self.close()
        self._running = [
            subprocess.Popen(
                [sys.executable, "-m", "livefilter.bench.load_program", *arguments],
                stdin=subprocess.PIPE,  # a program ends when this is closed, even if the benchmark is killed
                stdout=subprocess.DEVNULL,
            )
            for arguments in step.programs
        ]

    def cpu_s(self) -> float:
        """CPU seconds that the running programs have taken so far."""
        taken = 0.0
        for program in self._running:
            with suppress(psutil.Error):
                times = psutil.Process(program.pid).cpu_times()
                taken += times.user + times.system
        return taken

    def close(self) -> None:
        """End every program. Can be called twice."""
        for program in self._running:
            program.terminate()
        for program in self._running:
            try:
                program.wait(_END_S)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
            if program.stdin is not None:
                program.stdin.close()
        self._running = []
