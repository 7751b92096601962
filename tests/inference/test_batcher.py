"""One engine for several threads, and how many frames it draws at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from livefilter.errors import EngineFailed, GpuFault
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo
from livefilter.inference.batch_choice import BatchChoice
from livefilter.inference.batcher import Batcher, Ordered
from livefilter.inference.look import PLAIN, ComposingEngine, Look

TIMEOUT_S = 20.0


class Drawing(Engine):
    """Draws the negative. takes_s: seconds of `clock` that each draw takes. gate: each draw waits for it."""

    def __init__(self, size: int = 1, takes_s: float = 1.0, clock: list[float] | None = None) -> None:
        self.info = EngineInfo("drawing", "nothing", "uint8", 8, 8)
        self.size, self.takes_s, self.clock = size, takes_s, clock if clock is not None else [0.0]
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        self.drawn: list[int] = []
        self.fails = self.closed = False

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self.run_batch([image], [strength])[0][0]

    def run_batch(self, images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        assert len(images) == self.size
        assert not self.closed
        self.begun.set()
        assert self.gate.wait(TIMEOUT_S)
        if self.fails:
            raise EngineFailed("no memory")
        self.clock[0] += self.takes_s
        self.drawn.append(len(images))
        return [(255 - image, None) for image in images]

    def close(self) -> None:
        self.closed = True


class Turning(ComposingEngine):
    """Draws the negative, mirrored if the look says so; keeps what it drew at once."""

    def __init__(self, size: int = 1) -> None:
        self.info = EngineInfo("turning", "nothing", "uint8", 8, 8)
        self.size = size
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        self.drawn: list[tuple[int, bool]] = []

    def compose(self, image: Image, look: Look) -> Image:
        return self.compose_batch([image], look)[0][0]

    def compose_batch(self, images: Sequence[Image], look: Look) -> list[tuple[Image, Image | None]]:
        assert len(images) == self.size
        self.begun.set()
        assert self.gate.wait(TIMEOUT_S)
        self.drawn.append((len(images), look.mirror))
        return [((255 - image)[:, :: -1 if look.mirror else 1], image[:4, :4, 0]) for image in images]

    def close(self) -> None:
        """Nothing is open."""


def picture(level: int) -> Image:
    """A small one, which is no other and no mirror image of itself."""
    return np.full((8, 8, 3), level, np.uint8) + np.arange(8, dtype=np.uint8)[:, None] * np.uint8(20)


def beside(work: Callable[[], object]) -> threading.Thread:
    """Do it on a thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def learned(each: dict[int, float]) -> BatchChoice:
    """A choice that has seen so many seconds for each size."""
    choice = BatchChoice()
    for size, seconds in each.items():
        for _ in range(20):
            choice.note(size, seconds)
    return choice


def crowd(
    batcher: Batcher, engine: Drawing | Turning, count: int, looks: Sequence[Look | None] = (None,)
) -> list[Ordered]:
    """Let one frame be drawn while so many others come, then let all be drawn."""
    engine.gate.clear()
    engine.begun.clear()
    frames = [Ordered(picture(level), look=looks[level % len(looks)], run=level) for level in range(count + 1)]
    threads = [beside(lambda: batcher.draw(frames[0]))]
    assert engine.begun.wait(TIMEOUT_S)
    for place, frame in enumerate(frames[1:]):
        threads.append(beside(lambda frame=frame: batcher.draw(frame)))  # type: ignore[misc]
        waited = threading.Event()
        while len(batcher._waiting) <= place:
            assert not waited.wait(0.001)
    engine.gate.set()
    for thread in threads:
        thread.join(TIMEOUT_S)
    for frame in frames:
        assert frame.styled is not None
        turned = frame.look is not None and frame.look.mirror
        assert np.array_equal(frame.styled, (255 - frame.image)[:, :: -1 if turned else 1])
    return frames


@pytest.mark.parametrize(
    ("together_s", "taken"),
    [({2: 1.1, 4: 1.3}, 4), ({2: 1.1, 4: 4.0}, 2), ({2: 1.95, 4: 3.9}, 1), ({2: 3.0, 4: 9.0}, 1)],
)
def test_what_was_measured_to_be_fastest_for_each_frame_is_taken(together_s: dict[int, float], taken: int) -> None:
    """A batch that saves less than a twentieth is not worth it; one that was slower is not used."""
    choice = learned({1: 1.0} | together_s)
    assert choice.size([0.0] * 4, 8, (1, 2, 4)) == taken
    assert choice.size([0.0], 8, (1, 2, 4)) == 1
    assert choice.size([0.0] * 3, 8, (1, 2, 4)) == (2 if together_s[2] < 1.9 else 1)


def test_each_size_is_tried_before_one_is_chosen_and_now_and_then_again() -> None:
    """What was slower may be faster later, and that is found."""
    choice, spent = BatchChoice(), {1: 1.0, 2: 3.0}
    taken = []
    for _ in range(3000):
        size = choice.size([0.0] * 2, 4, (1, 2))
        taken.append(size)
        choice.note(size, spent[size])
        if len(taken) == 300:
            assert taken.count(2) < 30
            spent[2] = 1.0
    assert taken[:100].count(2) > 0
    assert taken[-100:].count(2) > 90


def test_frames_that_came_while_the_engine_was_busy_are_drawn_together_where_that_is_faster() -> None:
    """And in turn where it is not; each gets its own picture."""
    for together_s, sizes in ((0.012, [2, 2]), (0.05, [])):
        clock = [0.0]
        one, two = Drawing(1, 0.01, clock), Drawing(2, together_s, clock)
        batcher = Batcher(one, lambda clock=clock: clock[0])  # type: ignore[misc]
        batcher.add(2, two)
        batcher._choice = learned({1: 0.01, 2: together_s})
        crowd(batcher, one, 4)
        assert two.drawn == sizes
        assert sum(one.drawn) + sum(two.drawn) == 5
        assert sum(size for size, _ in batcher.recent) == 5


def test_no_frame_waits_for_another_one() -> None:
    """One that comes to an idle engine is drawn alone, at once, however fast batches are."""
    one, two = Drawing(1), Drawing(2, 0.1)
    batcher = Batcher(one)
    batcher.add(2, two)
    batcher._choice = learned({1: 1.0, 2: 0.1})
    frame = Ordered(picture(3))
    batcher.draw(frame)
    assert frame.styled is not None
    assert (one.drawn, two.drawn) == ([1], [])


@pytest.mark.parametrize("pause_s", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("runs", [2, 3, 5, 8])
@pytest.mark.parametrize(
    ("each", "faster"),
    [({1: 1.0, 2: 1.2, 4: 1.5}, True), ({1: 1.0, 2: 1.9, 4: 3.7}, False), ({1: 1.0, 2: 2.5, 4: 3.0}, False)],
)
def test_the_longest_wait_is_no_longer_than_in_turn(
    each: dict[int, float], faster: bool, runs: int, pause_s: float
) -> None:
    """Each run brings a frame some time after its last one was drawn. In turn a frame waits for those of all others at
    most; together none waits longer, and where batches are good more frames are drawn."""
    choice, now, worst, drawn = learned(each), 0.0, 0.0, 0
    chance = np.random.default_rng(runs)
    comes = sorted(chance.uniform(0, 1, runs))
    for _ in range(250):  # after 292 draws sizes are tried again
        now = max(now, comes[0])
        waited = [now - came for came in comes if came <= now]
        size = choice.size(waited, runs, tuple(each))
        now += each[size]
        drawn += size
        worst = max(worst, now - comes[0])
        comes = sorted([*comes[size:], *(now + pause_s * chance.uniform(0.5, 1) for _ in range(size))])
        choice.note(size, each[size])
    assert worst <= runs * each[1] + 1e-9
    if faster and pause_s == 0.0 and runs > 2:  # of two in turn each has waited too long already when both are there
        assert drawn / now > 1.3


def test_a_batch_that_fails_is_given_up_and_its_frames_are_drawn_alone() -> None:
    """As when the GPU has no memory for so many."""
    one, two = Drawing(1), Drawing(2)
    two.fails = True
    batcher = Batcher(one)
    batcher.add(2, two)
    batcher._choice = learned({1: 1.0, 2: 0.1})
    crowd(batcher, one, 2)
    assert two.closed
    assert not batcher.failed
    crowd(batcher, one, 2)
    assert one.drawn == [1] * 6


def test_frames_that_are_to_look_alike_are_drawn_together() -> None:
    """Those of another look wait for their turn, and none is passed over: the one that came first is always drawn."""
    one, two = Turning(), Turning(2)
    batcher = Batcher(one)
    batcher.add(2, two)
    batcher._choice = learned({1: 1.0, 2: 0.1})
    turned = Look(mirror=True)
    frames = crowd(batcher, one, 4, [PLAIN, PLAIN, turned, PLAIN, turned])
    assert one.drawn == [(1, False)]
    assert two.drawn == [(2, False), (2, True)]
    assert [frame.person is not None for frame in frames] == [True] * 5


def test_what_cannot_be_drawn_together_is_not_late_for_it() -> None:
    """The bound holds for those who have to wait for a batch of others, however long they have waited."""
    choice = learned({1: 1.0, 2: 1.5})
    assert choice.size([0.0, 0.0], 4, (1, 2)) == 2
    assert choice.size([0.0, 0.0], 4, (1, 2), [1.4]) == 2
    assert choice.size([0.0, 0.0], 4, (1, 2), [1.6]) == 1


def test_a_gpu_that_is_lost_in_a_batch_is_lost_for_all() -> None:
    """What is open on it draws no more, so it is not asked again: every stream opens it anew."""
    one, two = Drawing(1), Drawing(2)
    batcher = Batcher(one)
    batcher.add(2, two)
    batcher._choice = learned({1: 1.0, 2: 0.1})

    def lose(images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        raise GpuFault("the context is gone", lost=True)

    two.run_batch = lose  # type: ignore[method-assign]
    frames = [Ordered(picture(1)), Ordered(picture(2))]
    batcher._draw(frames)
    assert [type(frame.error) for frame in frames] == [GpuFault, GpuFault]
    assert batcher.failed
    assert one.drawn == []


def test_more_at_once_are_wanted_when_they_have_often_waited_together() -> None:
    """Not after a few times, and once for each number."""
    wanted: list[int] = []
    one = Drawing(1)
    batcher = Batcher(one, wanted=lambda batcher, size: wanted.append(size))
    for _ in range(9):
        crowd(batcher, one, 3)  # one alone, then of three, two and one
    assert wanted == []
    for _ in range(20):
        crowd(batcher, one, 3)
    assert wanted == [2]
    for _ in range(40):
        crowd(batcher, one, 4)
    assert wanted == [2, 4]


def test_an_engine_that_fails_tells_all_who_wait() -> None:
    """Each with the error; whoever opens one then gets another."""
    one = Drawing(1)
    one.fails = True
    batcher = Batcher(one)
    with pytest.raises(EngineFailed, match="no memory"):
        batcher.draw(Ordered(picture(0)))
    assert batcher.failed


def test_who_leaves_does_not_wait_and_holds_nobody_up() -> None:
    """The frame is not drawn; the others are."""
    one = Drawing(1)
    batcher = Batcher(one)
    one.gate.clear()
    first, left = Ordered(picture(1)), Ordered(picture(2))
    thread = beside(lambda: batcher.draw(first))
    assert one.begun.wait(TIMEOUT_S)
    found: list[BaseException] = []

    def wait() -> None:
        try:
            batcher.draw(left)
        except EngineFailed as error:
            found.append(error)

    waiter = beside(wait)
    pause = threading.Event()
    while not batcher._waiting:
        assert not pause.wait(0.001)
    batcher.leave(left)
    waiter.join(TIMEOUT_S)
    assert found
    one.gate.set()
    thread.join(TIMEOUT_S)
    assert one.drawn == [1]
    batcher.close()
    assert one.closed
    with pytest.raises(EngineFailed, match="closed"):
        batcher.draw(Ordered(picture(0)))
