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
from livefilter.live.person_network import alongside, open_person_network
from livefilter.live.person_room import PersonRoom
from livefilter.styles.catalogue import Catalogue

SIZE = 1280, 720
ROOMS = (RAW, BLUR, TRANSPARENT)
_RUNS = 12
_IN_TURN = "in turn"


@dataclass(frozen=True)
class Cost:
    """Medians in milliseconds: of a frame in its style alone, and what each room adds to it; to the time that passes,
    and to the processors' own in all threads, which engines of several threads fill with waiting.

    in_turn_ms: what a raw room adds to the time that passes where people are found once the style has drawn, on as many
        threads, and not beside it on one.
    """

    backend: str
    threads: int
    process_size: int
    alone_ms: float
    added_ms: dict[str, float]
    processor_ms: dict[str, float]
    in_turn_ms: float

    def share(self, room: str) -> float:
        """What a room adds, as a share of the frame."""
        return self.added_ms[room] / self.alone_ms


def measure(pictures: Sequence[Image], style: str, backend: str, threads: int, process_size: int, rounds: int) -> Cost:
    """Draw frames of 720p with and without, in turns, as a live run does; the person is styled, so that nothing but the
    room differs.
    """
    cv2.setNumThreads(threads)
    options = EngineOptions(threads)
    frames = [np.asarray(cv2.resize(each, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8) for each in pictures]
    network = Catalogue().get(style).networks["lite"]
    settings = SharedSettings(LiveSettings(style))

    def finds(how: EngineOptions) -> PersonRoom:
        def finder(_name: str) -> Styler:
            return open_person_network(backend, how, *SIZE)

        return PersonRoom(nothing, finder, settings, time.perf_counter, waits=True)

    def nothing(name: str) -> Styler:
        raise AssertionError(name)

    beside, in_turn = finds(alongside(options)), finds(options)
    styler = Styler(network, backend, process_size, options)
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in (STYLED, *ROOMS, _IN_TURN)}
    try:
        for _ in range(rounds):
            for way, found in taken.items():
                parts, room = (in_turn, RAW) if way == _IN_TURN else (beside, way)
                wanted = LiveSettings(style, room=room)
                for frame in [frames[0], *(frames[index % len(frames)] for index in range(_RUNS))]:
                    started, computed = time.perf_counter(), time.process_time()
                    if way in ROOMS:
                        parts.ahead(frame)
                    styled = styler(frame)
                    if room != STYLED:
                        parts(frame, styled, None, wanted)
                    found.append((time.perf_counter() - started, time.process_time() - computed))
                del found[-_RUNS - 1]  # the first one after a change
    finally:
        beside.close()
        in_turn.close()
        styler.close()

    def medians(which: int) -> dict[str, float]:
        return {way: 1000.0 * statistics.median(each[which] for each in found) for way, found in taken.items()}

    passed, computing = medians(0), medians(1)
    added, processor = ({room: each[room] - each[STYLED] for room in ROOMS} for each in (passed, computing))
    turned = passed[_IN_TURN] - passed[STYLED]
    return Cost(backend, threads, process_size, passed[STYLED], added, processor, turned)
