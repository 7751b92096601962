"""What person and room add to the time of a frame, measured side by side in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from livefilter.control.parts import BLUR, RAW, STYLED, TRANSPARENT
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.styler import Styler
from livefilter.live.person_network import open_person_network
from livefilter.live.person_room import PersonRoom
from livefilter.styles.catalogue import Catalogue

SIZE = 1280, 720
ROOMS = (RAW, BLUR, TRANSPARENT)
_RUNS = 12


@dataclass(frozen=True)
class Cost:
    """Medians in milliseconds: of a frame in its style alone, and what each room adds to it."""

    backend: str
    threads: int
    process_size: int
    alone_ms: float
    added_ms: dict[str, float]

    def share(self, room: str) -> float:
        """What a room adds, as a share of the frame."""
        return self.added_ms[room] / self.alone_ms


def measure(pictures: Sequence[Image], style: str, backend: str, threads: int, process_size: int, rounds: int) -> Cost:
    """Draw frames of 720p with and without, in turns; the person is styled, so that nothing but the room differs."""
    cv2.setNumThreads(threads)
    options = EngineOptions(threads)
    frames = [np.asarray(cv2.resize(each, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8) for each in pictures]
    network = Catalogue().get(style).networks["lite"]
    settings = SharedSettings(LiveSettings(style))

    def finder(_name: str) -> Styler:
        return open_person_network(backend, options, *SIZE)

    def nothing(name: str) -> Styler:
        raise AssertionError(name)

    parts = PersonRoom(nothing, finder, settings, time.perf_counter, waits=True)
    styler = Styler(network, backend, process_size, options)
    taken: dict[str, list[float]] = {room: [] for room in (STYLED, *ROOMS)}
    try:
        for _ in range(rounds):
            for room, found in taken.items():
                wanted = LiveSettings(style, room=room)
                for frame in [frames[0], *(frames[index % len(frames)] for index in range(_RUNS))]:
                    started = time.perf_counter()
                    styled = styler(frame)
                    if room != STYLED:
                        parts(frame, styled, None, wanted)
                    found.append(1000.0 * (time.perf_counter() - started))
                del found[-_RUNS - 1]  # the first one after a change
    finally:
        parts.close()
        styler.close()
    alone = statistics.median(taken[STYLED])
    added = {room: statistics.median(taken[room]) - alone for room in ROOMS}
    return Cost(backend, threads, process_size, alone, added)
