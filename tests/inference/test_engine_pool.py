"""Engines that several runs of one process share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from livefilter.errors import EngineFailed
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.batcher import Batcher
from livefilter.inference.engine_pool import EnginePool
from livefilter.inference.look import ComposingEngine, Look
from livefilter.inference.selection import why_unavailable
from livefilter.inference.styler import Styler
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network_edit import with_batch
from tests.inference.networks import write_style_network

NETWORK = Path("network.onnx")


class Negative(Engine):
    """Draws the negative; all that were opened are in `opened`. mixes: draws the first picture of a batch for all."""

    takes_batches = True
    opened: ClassVar[list[Negative]] = []
    mixes: ClassVar[bool] = False
    refuses: ClassVar[Exception | None] = None
    tried: ClassVar[list[int]] = []

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions) -> None:
        self.tried.append(options.batch)
        if options.batch > 1 and self.refuses is not None:
            raise self.refuses
        self.info = EngineInfo("negative", "nothing", "uint8", width, height)
        self.options, self.closed, self.fails = options, 0, False
        self.opened.append(self)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self.run_batch([image], [strength])[0][0]

    def run_batch(self, images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        assert len(images) == self.options.batch
        if self.fails:
            raise EngineFailed("it fails")
        return [(255 - images[0 if self.mixes else place], None) for place in range(len(images))]

    def close(self) -> None:
        self.closed += 1


class Composing(ComposingEngine):
    """Gives the split as a grey level."""

    nv12 = True

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions) -> None:
        self.info = EngineInfo("composing", "nothing", "uint8", width, height)

    def compose(self, image: Image, look: Look) -> Image:
        return np.full_like(image, int(look.split * 100))

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def _none_open() -> None:
    Negative.opened, Negative.mixes, Negative.refuses, Negative.tried = [], False, None, []


def at_once(work: Callable[[], None]) -> None:
    """What a pool does beside the frames, done before it goes on."""
    work()


def opened(pool: EnginePool, width: int = 64, **options: int) -> Engine:
    """One more user of a negative."""
    return pool.open(Negative, NETWORK, width, 48, EngineOptions(**options))  # type: ignore[arg-type]


def test_those_who_want_the_same_engine_get_the_same_one() -> None:
    """Another size or GPU is another engine; it is closed with the last who uses it, once."""
    pool = EnginePool(lambda work: None)
    first, second, third = opened(pool), opened(pool), opened(pool, 128)
    opened(pool, gpu=1)
    assert len(Negative.opened) == 3
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    kept = first.run(image)
    second.run(np.zeros_like(image))
    np.testing.assert_array_equal(kept, 255 - image)  # what another one draws leaves it alone
    first.close()
    first.close()
    with pytest.raises(EngineFailed, match="closed"):
        first.run(image)
    assert Negative.opened[0].closed == 0
    second.close()
    assert [engine.closed for engine in Negative.opened] == [1, 0, 0]
    third.close()
    opened(pool)
    assert len(Negative.opened) == 4


def test_an_engine_that_failed_is_given_to_nobody_else() -> None:
    """Who opens one again gets a new one, as after a fault of the GPU."""
    pool = EnginePool(lambda work: None)
    first = opened(pool)
    Negative.opened[0].fails = True
    with pytest.raises(EngineFailed, match="it fails"):
        first.run(np.zeros((48, 64, 3), np.uint8))
    again = opened(pool)
    assert again.run(np.zeros((48, 64, 3), np.uint8)).all()
    first.close()
    again.close()
    assert [engine.closed for engine in Negative.opened] == [1, 1]


def wanting(pool: EnginePool, user: Engine, *sizes: int) -> None:
    """What the batcher of a user does when so many frames have often waited together."""
    batcher: Batcher = user._batcher  # type: ignore[attr-defined]
    for size in sizes:
        assert batcher._wanted is not None
        batcher._wanted(batcher, size)


def test_more_are_drawn_at_once_where_they_have_waited_together() -> None:
    """Two who draw in turn, as one stream whose style is opened anew, get no further engine; all close in the end."""
    pool = EnginePool(at_once)
    users = [opened(pool) for _ in range(2)]
    for _ in range(400):
        for user in users:
            user.run(np.zeros((48, 64, 3), np.uint8))
    assert Negative.tried == [1]
    wanting(pool, users[0], 2, 4)
    assert [engine.options.batch for engine in Negative.opened] == [1, 2, 4]
    for user in users:
        user.close()
    assert [engine.closed for engine in Negative.opened] == [1, 1, 1]


def test_a_network_that_mixes_up_the_pictures_of_a_batch_is_drawn_in_turn(caplog: pytest.LogCaptureFixture) -> None:
    """Some hold the number of pictures in a constant; the log says that, and the batch is closed again."""
    Negative.mixes = True
    pool = EnginePool(at_once)
    users = [opened(pool) for _ in range(2)]
    wanting(pool, users[0], 2)
    assert "not drawn at once" in caplog.text
    assert Negative.opened[1].closed == 1
    assert users[1].run(np.full((48, 64, 3), 5, np.uint8)).min() == 250


@pytest.mark.parametrize("error", [EngineFailed("its build failed."), RuntimeError("a driver broke")])
def test_a_batch_that_cannot_be_opened_is_told_of_once(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Frames go on one by one, and nobody waits for the same failure again, also not with a new engine."""
    Negative.refuses = error
    pool = EnginePool(at_once)
    for _ in range(2):
        user = opened(pool)
        wanting(pool, user, 2)
        assert user.run(np.full((48, 64, 3), 5, np.uint8)).min() == 250
        user.close()
    assert Negative.tried == [1, 2, 1]
    assert [record.getMessage() for record in caplog.records] == [f"2 frames are not drawn at once: {error}"]


def test_a_batch_that_comes_too_late_is_not_opened(caplog: pytest.LogCaptureFixture) -> None:
    """Batches are opened one after the other; who waits for a turn until all streams have gone opens nothing."""
    turns: list[Callable[[], None]] = []
    pool = EnginePool(turns.append)
    user = opened(pool)
    wanting(pool, user, 2, 4)
    user.close()
    threads = [threading.Thread(target=turn) for turn in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert Negative.tried == [1]
    assert caplog.records == []


def test_an_engine_that_composes_is_shared_with_each_ones_own_look() -> None:
    """It gives the finished picture as before, in the same form."""
    pool = EnginePool(at_once)
    one, two = (pool.open(Composing, NETWORK, 64, 48, EngineOptions()) for _ in range(2))
    assert isinstance(one, ComposingEngine)
    assert isinstance(two, ComposingEngine)
    assert one.nv12
    image = np.zeros((48, 64, 3), np.uint8)
    assert (one.compose(image, Look(split=0.2)).max(), two.compose(image, Look(split=0.7)).max()) == (20, 70)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_bundled_styles_draw_the_same_in_batches(backend: str) -> None:
    """Their files hold one frame; each of several at once comes out as alone, at its own strength."""
    if reason := why_unavailable(backend):
        pytest.skip(reason)
    network = Catalogue().get("hayao").networks["lite"]
    chance = np.random.default_rng(3)
    images = [np.kron(chance.integers(0, 256, (8, 12, 3), np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(3)]
    strengths = [1.0, 0.5, 1.5]
    factory = ENGINES.load(backend)
    options = EngineOptions(threads=1, sha256=network.sha256)
    with (
        factory(network.path, 96, 64, options) as alone,
        factory(network.path, 96, 64, EngineOptions(threads=1, sha256=network.sha256, batch=3)) as together,
    ):
        apart = [alone.run(image, strength).astype(np.int16) for image, strength in zip(images, strengths, strict=True)]
        for (styled, _person), expected in zip(together.run_batch(images, strengths), apart, strict=True):
            assert np.percentile(np.abs(styled - expected), 99.9) <= 2
        assert np.abs(apart[0] - apart[1]).mean() > 5


def test_a_file_is_only_changed_where_it_holds_one_frame(tmp_path: Path) -> None:
    """Each port then holds so many, and nothing else of the file is touched; a file that holds more is refused."""
    data = write_style_network(tmp_path / "network.onnx").read_bytes()
    assert with_batch(data, 1) == data
    changed = with_batch(data, 4)
    assert [len(changed), sum(a != b for a, b in zip(data, changed, strict=True))] == [len(data), 2]
    with pytest.raises(ValueError, match="not one frame"):
        with_batch(changed, 2)
    with pytest.raises(ValueError, match="damaged"):
        with_batch(b"\x0f" * 9, 2)


def test_stylers_share_what_a_pool_opens() -> None:
    """Frames of different sizes that are styled at the same size as well; each keeps its own."""
    pool = EnginePool(lambda work: None)
    stylers = [Styler(NETWORK, Negative, 64, EngineOptions(shared=pool)) for _ in range(2)]
    wide, tall = np.full((64, 96, 3), 10, np.uint8), np.full((128, 192, 3), 20, np.uint8)
    assert (stylers[0](wide).shape, int(stylers[0](wide).max())) == (wide.shape, 245)
    assert (stylers[1](tall).shape, int(stylers[1](tall).max())) == (tall.shape, 235)
    assert len(Negative.opened) == 1
    for styler in stylers:
        styler.close()
    assert Negative.opened[0].closed == 1
