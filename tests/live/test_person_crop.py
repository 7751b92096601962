"""A person's style is drawn where they are, beside a room in another style."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineFailed, StyleCorrupt
from livefilter.frame import Frame, Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.geometry import fit_network
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.styler import Styler
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.rung import Rung
from livefilter.live.person_crop import Part, PersonCrop, Window
from livefilter.live.person_room import PersonRoom
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.styles.accepts import Accepts
from livefilter.styles.network import Network
from tests.fakes import FakeClock, FakeStyler, until

SIZE = 640, 360
RAW, WHOLE, PART, ROOM = 90, 10, 40, 200


class Painter(Engine):
    """Paints the whole in one grey and a part in another, and counts both."""

    runs: list[tuple[int, int]]
    failing = False

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        self.info = EngineInfo("painter", "nothing", "uint8", width, height)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        size = self.info.width, self.info.height
        if Painter.failing and size != SIZE:
            raise EngineFailed("out of memory")
        Painter.runs.append(size)
        return np.full_like(image, WHOLE if size == SIZE else PART)

    def close(self) -> None:
        pass


class Finder(FakeStyler):
    """Somebody as wide as the frame's third, wherever `at` says, or nobody."""

    at: int | None = 20
    after: threading.Event | None = None  # what has to happen first
    unsure = 0  # of 255, how likely somebody is anywhere else

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        assert self.after is None or self.after.wait(60.0)
        self.person = np.full((90, 160), self.unsure, np.uint8)
        if self.at is not None:
            self.person[20:, self.at : self.at + 40] = 255
        return image


class Run:
    """A stylist with a room in a style of its own, whose person can be drawn in part."""

    def __init__(self, load_part: Any = None, room: Any = None, **settings: Any) -> None:
        Painter.runs, Painter.failing = [], False
        self.clock, self.finder, self.room = FakeClock(), Finder(), room or FakeStyler(value=ROOM)
        self.shared = SharedSettings(LiveSettings("first", room="second", **settings))
        first = Styler(Path("none"), Painter, SIZE[1])
        first.warm_up(*SIZE)
        rung = Rung("", SIZE[1], 1.0)
        self.used: list[LadderStyler] = []
        self.ladder = LadderStyler([rung], (0, first), lambda _rung: first, self.used.append, 0.0)
        self.crop = PersonCrop(load_part or self.load_part, lambda style, network: Accepts(), self.clock)
        parts = PersonRoom(self.load_room, lambda name: self.finder, self.shared, self.clock, crop=self.crop)
        self.rooms = 0
        self.live = LiveStylist(self.load, self.ladder, self.shared, Metrics(), 0.0, self.clock, parts=parts)

    def load_room(self, name: str) -> FakeStyler:
        self.rooms += 1
        found: FakeStyler = self.room
        return found

    def load(self, name: str) -> LadderStyler:
        raise AssertionError(name)

    def load_part(self, part: Part) -> PartStyler:
        assert (part.style, part.size, part.frame) == ("first", SIZE[1], SIZE)
        fit = fit_network(*part.frame, part.size)
        return PartStyler(Network("first", "", Path("none"), ""), Painter, fit, part.width, part.height)

    def __call__(self) -> Image:
        return self.live(Frame(np.full((SIZE[1], SIZE[0], 3), RAW, np.uint8), 0, 0.0)).image

    def sees(self) -> tuple[int, int]:
        """The greys of the person and of the room."""
        image, at = self(), (self.finder.at or 0) * 4 + 80
        return int(image[250, at, 0]), int(image[250, (at + 320) % 640, 0])


def test_a_person_is_drawn_where_they_are() -> None:
    """Once that network is there the whole is drawn no more in the person's style; the governor is still asked."""
    run = Run()
    until(lambda: run.sees() == (PART, ROOM), "the person's part")
    Painter.runs.clear()
    before = len(run.used)
    run()
    assert Painter.runs == [(320, 320)]
    assert len(run.used) == before + 1
    assert set(np.unique(run())) <= set(range(PART, ROOM + 1)), "nothing of what is around the part shows"
    run.live.close()


def test_somebody_who_moves_is_followed() -> None:
    """With the same network, in the very frame in which they are elsewhere."""
    run = Run()
    until(lambda: run.sees() == (PART, ROOM), "the person's part")
    run.finder.at = 90
    Painter.runs.clear()
    assert run.sees() == (PART, ROOM)
    assert Painter.runs == [(320, 320)]
    run.live.close()


@pytest.mark.parametrize("settings", [{"person": "raw"}, {"room": "blur"}, {"room": "style", "person": "raw"}])
def test_other_rooms_need_the_whole(settings: dict[str, str]) -> None:
    """Of a person in a room that is not in a style of its own nothing is drawn in part."""
    run = Run()
    run.shared.change(**settings)
    for _ in range(5):
        run()
    assert set(Painter.runs) == {SIZE}
    run.live.close()


@pytest.mark.parametrize("how", ["refused", "failing"])
def test_without_that_network_the_whole_is_drawn(how: str) -> None:
    """One that cannot be opened, or fails on a frame, is given up, and person and room keep their styles."""

    def refuse(part: Part) -> PartStyler:
        raise StyleCorrupt("it is gone")

    run = Run(refuse if how == "refused" else None)
    if how == "failing":
        until(lambda: run.sees() == (PART, ROOM), "the person's part")
        Painter.failing = True
    until(lambda: bool(run.crop._given_up) or run() is None, "it is given up")
    assert run.sees() == (WHOLE, ROOM)
    assert (run.shared.current.room, run.shared.current.notice) == ("second", "")
    run.live.close()


def test_a_room_that_fails_leaves_no_gaps() -> None:
    """What is around a part is not drawn, so that frame is drawn as a whole, and nothing else of it."""
    run = Run()
    until(lambda: run.sees() == (PART, ROOM), "the person's part")
    run.room._errors.append(EngineFailed("out of memory"))
    Painter.runs.clear()
    assert (run() == WHOLE).all()
    assert Painter.runs == [SIZE]
    assert run.rooms == 1, "a room that has failed is not loaded again"
    assert run.shared.current.room == "style"
    run.live.close()


@pytest.mark.parametrize("unsure", [0, 120])
def test_nobody_there_is_no_part(unsure: int) -> None:
    """The whole frame is the room's style, and nothing is drawn in the person's; the governor is still asked."""
    run = Run()
    until(lambda: run.sees() == (PART, ROOM), "the person's part")
    run.finder.at, run.finder.unsure = None, unsure
    Painter.runs.clear()
    before = len(run.used)
    assert (run() == ROOM).all()
    assert not Painter.runs
    assert len(run.used) == before + 1
    assert run.ladder.rests
    run.finder.at, run.finder.unsure = 20, 0
    assert run.sees() == (PART, ROOM)
    assert not run.ladder.rests
    run.live.close()


def test_the_room_is_drawn_while_people_are_looked_for() -> None:
    """Where both have a style, and once: people are found beside it, and the person's part is drawn after that."""
    drawn = threading.Event()

    class Room(FakeStyler):
        def __call__(self, image: Image, look: Look = PLAIN) -> Image:
            drawn.set()
            return super().__call__(image, look)

    run = Run(room=Room(value=ROOM))
    until(lambda: run.sees() == (PART, ROOM), "the person's part")
    drawn.clear()
    run.finder.after = drawn
    assert run.sees() == (PART, ROOM)
    run.live.close()


def window() -> Window:
    """Of a film of 720 lines, drawn at 360."""
    return Window(fit_network(1280, 720, 360), 8)


def test_a_part_stays_as_it_is_while_somebody_moves_a_little() -> None:
    """Sizes and places in eights, everybody within; a wave changes nothing, a step moves it."""
    found = window()
    first = found.around((400, 200, 800, 720), (1280, 720), 0.0)
    assert first is not None
    assert (first.width, first.height) == (320, 320)
    assert first.left % 8 == first.top % 8 == 0
    assert first.left <= 200 - 16
    assert found.around((410, 190, 790, 720), (1280, 720), 0.1) == first
    moved = found.around((600, 200, 1000, 720), (1280, 720), 0.2)
    assert moved is not None
    assert (moved.width, moved.height) == (320, 320)
    assert moved.left > first.left


def test_a_part_grows_at_once_and_shrinks_after_a_while() -> None:
    """So that nobody is cut off, and no network is opened for every wave."""
    found = window()
    sizes = []
    for now, right in ((0.0, 700), (1.0, 1000), (2.0, 700), (5.9, 700), (6.1, 700)):
        place = found.around((400, 100, right, 720), (1280, 720), now)
        sizes.append(place.width if place else 0)
    assert sizes == [240, 400, 400, 400, 240]
    assert window().around((0, 0, 1280, 720), (1280, 720), 0.0) is None


def test_whoever_is_there_is_always_within() -> None:
    """Whatever boxes come one after the other, each lies in its part with half a margin, or at the frame's side."""
    rng, found = np.random.default_rng(0), window()
    for step in range(500):
        left, right = sorted(rng.integers(0, 1281, 2).tolist())
        top, bottom = sorted(rng.integers(0, 721, 2).tolist())
        place = found.around((left, top, right, bottom), (1280, 720), float(step))
        if place is None:
            continue
        assert place.left == 0 or place.left <= left / 2 - 15
        assert place.top == 0 or place.top <= top / 2 - 15
        assert place.left + place.width >= min(640, right / 2 + 15)
        assert place.top + place.height >= min(360, bottom / 2 + 15)
        assert place.left % 8 == place.top % 8 == place.width % 8 == place.height % 8 == 0
