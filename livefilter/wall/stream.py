"""One stream of a wall, as a process: `python -m livefilter.wall.stream`.

Its settings come as a line of JSON on stdin. It tells how it is as a line of JSON on stdout each second, and ends when
stdin does: without its wall it has no business.
Exit code 0: the input is at its end; 1: something failed that may work later; 2: the settings can never work.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import livefilter.quiet  # noqa: F401 - before every library that would report its use
from livefilter.config import Config
from livefilter.errors import InvalidInput, LivefilterError, StageStuck
from livefilter.wall.cost import CoreMeter

if TYPE_CHECKING:
    from livefilter.inference.engine_pool import EnginePool

_TICK_S = 0.05
_TELL_EVERY_S = 1.0
LATER, NEVER = 1, 2


class _NoKeys:
    """Nobody sits before it."""

    def read(self) -> list[str]:
        return []


def main() -> int:
    """Run the stream to its end."""
    leave_the_terminal_to_the_wall()
    settings = json.loads(sys.stdin.readline())
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_wall, args=(ended,), name="wall", daemon=True).start()
    try:
        return run_told(settings, ended, tell)
    except StageStuck:
        return LATER


def run_told(
    settings: dict[str, Any],
    ended: threading.Event,
    tell: Callable[[dict[str, Any]], None],
    pool: EnginePool | None = None,
    sharers: Callable[[], int] = lambda: 1,
) -> int:
    """Run a stream to its end, and tell how it is and why it failed; the exit code.

    pool: of engines that others in this process use as well. sharers: how many streams this process has now.
    Raises: StageStuck: a part of it still runs; that was told as well.
    """
    try:
        _run(settings, ended, tell, pool, sharers)
    except StageStuck as error:
        tell({"error": str(error)})
        raise
    except LivefilterError as error:
        tell({"error": str(error)})
        return NEVER if isinstance(error, InvalidInput) else LATER
    return 0


def leave_the_terminal_to_the_wall() -> None:
    """Ctrl-C, and a terminal that is closed, end the wall, which ends its streams."""
    for name in ("SIGINT", "SIGHUP"):  # Windows has the first one alone
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def tell(told: Mapping[str, Any]) -> None:
    """One line for the wall."""
    try:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the wall is gone; stdin says so too, and the stream ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(
    settings: dict[str, Any],
    ended: threading.Event,
    tell: Callable[[dict[str, Any]], None],
    pool: EnginePool | None,
    sharers: Callable[[], int],
) -> None:
    from livefilter.inference.selection import runs_on_gpu
    from livefilter.live.compose import compose_live

    live = compose_live(Config.model_validate(settings), _NoKeys(), shared=pool or True)
    tell({"input": live.source_name, "outputs": live.sink_names})
    told_at = 0.0
    meter = CoreMeter()
    try:
        live.pipeline.start()
        while live.session.tick(_TICK_S) and not ended.is_set():
            if time.monotonic() - told_at >= _TELL_EVERY_S:
                told_at = time.monotonic()
                figures = dataclasses.asdict(live.pipeline.metrics.snapshot())
                waits = str(live.pipeline.waiting_for or "")
                told = {"figures": figures, "waits_for": waits, "style": live.stylist.style, "on": live.facts.device}
                on_gpu, cores = runs_on_gpu(live.facts.backend), meter.cores()
                taken = {
                    "cores": None if cores is None else cores / sharers(),
                    "engine": pool.figures() if pool else {},
                }
                tell(told | taken | {"fps": settings.get("fps", 0), "on_gpu": on_gpu})
    finally:
        live.pipeline.stop()
        try:
            live.session.close()
        finally:
            live.pipeline.join()


def _wait_for_the_wall(ended: threading.Event) -> None:
    for _line in sys.stdin:
        pass
    ended.set()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a driver's thread may never come back
