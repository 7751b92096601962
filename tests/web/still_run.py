"""A whole run over a still picture of somebody, with its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from livefilter.frame import Image
from tests.live.test_run_seen import DEMO, Program

WIDTH, HEIGHT = 640, 480


@contextmanager
def still_run(folder: Path, *flags: str) -> Iterator[tuple[Program, str, Image]]:
    """The program, the address of its page, and the picture, (HEIGHT, WIDTH, 3) uint8 BGR."""
    demo = cv2.imread(str(DEMO))
    assert demo is not None
    raw = np.asarray(cv2.resize(demo[:384], (WIDTH, HEIGHT)), np.uint8)
    cv2.imwrite(str(folder / "still.png"), raw)
    program = Program(
        folder, "-i", str(folder / "still.png"), "-o", "page:0", "--process-size", "192", "--fps", "15",
        *flags, "--duration", "900", "--json",
    )  # fmt: skip
    try:
        yield program, program.said("live page").split()[-1], raw
    finally:
        program.process.terminate()
        program.end()
