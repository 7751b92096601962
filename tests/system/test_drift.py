"""A long run stays as fast, as fresh and as small as it was in its first minutes."""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable

import psutil
import pytest

from livefilter.frame import Image
from tests.system.clients import tell
from tests.system.devices import OUTPUT
from tests.system.pictures import CLOSE, distance, moves
from tests.system.program import Program
from tests.system.styles import inverted
from tests.system.viewer import Viewer

MINUTES = float(os.environ.get("LIVEFILTER_DRIFT_MINUTES", "10"))
PORT = 8478
_FRAME_S = 1 / 30
_SAMPLE_S = 1.0


@pytest.mark.timeout(MINUTES * 60 + 300)
def test_ten_minutes_do_not_drift(start: Callable[..., Program], view: Callable[..., Viewer], raw: Image) -> None:
    """A client gets moving, styled frames for ten minutes; their age and the program's memory end as they began."""
    wanted = inverted(raw)
    program = start("-s", "inverted", outputs=(f"camera:{OUTPUT}", f"page:{PORT}"))
    program.serves()
    viewer = view(OUTPUT)
    viewer.wait_for(30)
    process, pause = psutil.Process(program.process.pid), threading.Event()
    ages: list[float] = []
    memory: list[float] = []
    farthest = 0.0
    rates: list[float] = []
    for _ in range(10):
        began, counted = time.monotonic(), viewer.count
        while time.monotonic() - began < 6 * MINUTES:
            pause.wait(_SAMPLE_S)
            ages.append(_age_s())
            memory.append(process.memory_info().rss / 1e6)
            farthest = max(farthest, distance(viewer.newest, wanted))
        rates.append((viewer.count - counted) / (time.monotonic() - began))
    third = len(ages) // 3
    first, last = statistics.median(ages[:third]), statistics.median(ages[-third:])
    small, large = statistics.median(memory[:third]), statistics.median(memory[-third:])
    tell(
        f"{MINUTES:g} minutes, {viewer.count} frames; age p50 {1000 * first:.0f} ms in the first third, "
        f"{1000 * last:.0f} ms in the last; memory {small:.0f} and {large:.0f} MB; fps of each tenth "
        f"{' '.join(f'{rate:.2f}' for rate in rates)}; farthest from the style offline {farthest:.1f} levels"
    )
    assert farthest < CLOSE
    assert last < 1.5 * first + _FRAME_S, "frames grow old"
    assert large < 1.1 * small, "memory grows"
    assert moves([viewer.newest, viewer.wait_for(60)]), "the picture stands still in the end"


def _age_s() -> float:
    """How old the newest styled frame is, as the page's server tells."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=30) as answer:
        return float(json.load(answer)["age_s"])
