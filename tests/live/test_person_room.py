"""Person and room, each in the look of its own: what viewers see of a frame, and what they never see."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefilter.config import Config
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.cutout import CHROMA
from livefilter.errors import ConfigError, EngineFailed, InvalidInput, StyleCorrupt, UnknownName
from livefilter.frame import Frame, Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.mask import Mask
from livefilter.inference.selection import why_unavailable
from livefilter.live.first_parts import first_parts
from livefilter.live.person_network import open_person_network, person_network
from livefilter.live.person_room import PersonRoom
from livefilter.live.room_picture import Still
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from tests.fakes import FakeStyler, until

WIDTH, HEIGHT = 64, 48
RAW, STYLED, OTHER, PICTURE = 90, 10, 200, 150
NAMES = {RAW: "raw", STYLED: "styled", OTHER: "other", PICTURE: "picture"}


class Teller(FakeStyler):
    """Paints one grey and tells where people are."""

    def __init__(self, value: int, person: Image | None = None, errors: Any = ()) -> None:
        super().__init__(errors=errors, value=value)
        self.person = person


def left() -> Image:
    """Somebody in the left half."""
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    mask[:, : WIDTH // 4] = 255
    return mask


NOBODY, EVERYBODY = np.zeros((24, 32), np.uint8), np.full((24, 32), 255, np.uint8)


class Run:
    """A stylist over grey frames, with a table of what can be loaded beside its style."""

    def __init__(
        self, mask: Image | None, finder: FakeStyler | Exception | None = None, other: Any = None, **settings: Any
    ) -> None:
        self.shared = SharedSettings(LiveSettings("first", **settings))
        self.finder, self.other = finder, other or Teller(OTHER)
        picture = Still(np.full((30, 90, 3), PICTURE, np.uint8))
        parts = PersonRoom(self.load, self.load_finder, self.shared, lambda: 0.0, picture)
        self.styler = Teller(STYLED, mask)
        self.live = LiveStylist(self.load, self.styler, self.shared, Metrics(), parts=parts)

    def load(self, name: str) -> FakeStyler:
        if isinstance(self.other, Exception):
            raise self.other
        found: FakeStyler = self.other
        return found

    def load_finder(self, name: str) -> FakeStyler:
        assert name == "_person"
        if not isinstance(self.finder, FakeStyler):
            raise self.finder or StyleCorrupt("it is not there")
        return self.finder

    def __call__(self) -> Frame:
        return self.live(Frame(np.full((HEIGHT, WIDTH, 3), RAW, np.uint8), 0, 0.0))

    def halves(self) -> Any:
        """What is on the left and on the right, far from the seam."""
        image = self().image
        return tuple(NAMES.get(int(image[24, x, 0]), image[24, x].tolist()) for x in (8, 56))


@pytest.mark.parametrize(
    ("person", "room", "sees", "mark"),
    [
        ("style", "style", ("styled", "styled"), ""),
        ("raw", "style", ("raw", "styled"), "Raw person"),
        ("style", "raw", ("styled", "raw"), "Raw room"),
        ("raw", "raw", ("raw", "raw"), "Raw person, raw room"),
        ("style", "blur", ("styled", "styled"), ""),
        ("raw", "blur", ("raw", "raw"), "Raw person"),
        ("style", "transparent", ("styled", list(CHROMA)), ""),
        ("style", "picture", ("styled", "picture"), ""),
        ("raw", "picture", ("raw", "picture"), "Raw person"),
    ],
)
def test_each_part_looks_as_it_was_asked_to(person: str, room: str, sees: Any, mark: str) -> None:
    """By the mask of that very frame; whatever shows the camera's own pixels is marked."""
    run = Run(left(), person=person, room=room)
    assert run.halves() == sees
    assert run().mark == mark


def test_two_styles_share_a_frame() -> None:
    """The room's own is loaded beside the frames; until it is there the whole frame is in the person's."""
    run = Run(left(), room="second")
    assert run.halves() == ("styled", "styled")
    until(lambda: run.halves() == ("styled", "other"), "the room in its own style")
    run.live.close()
    assert run.other.closed
    assert run.styler.closed


@pytest.mark.parametrize("mask", [None, NOBODY, np.empty((0, 0), np.uint8), np.full((24, 32), 60, np.uint8)])
@pytest.mark.parametrize(("person", "room"), [("raw", "style"), ("style", "raw"), ("raw", "blur"), ("raw", "raw")])
def test_without_a_mask_the_whole_frame_is_styled(mask: Image | None, person: str, room: str) -> None:
    """None, an empty one, one that is sure of nothing: neither person nor room shows raw, and the mark stays."""
    run = Run(mask, person=person, room=room)
    found = run()
    assert (found.image == STYLED).all()
    assert found.raw


@pytest.mark.parametrize(("room", "sees"), [("picture", PICTURE), ("transparent", CHROMA[0])])
def test_an_empty_room_is_the_room(room: str, sees: int) -> None:
    """Nobody there: only the picture, or nothing, where it holds none of the camera's pixels."""
    assert (Run(NOBODY, room=room)().image[:, :, 0] == sees).all()
    assert (Run(EVERYBODY, room=room)().image == STYLED).all()


def test_whoever_is_cut_out_is_a_picture_of_its_own() -> None:
    """With straight alpha, mirrored as the picture is; not beside the original of a split screen."""
    run = Run(left(), room="transparent")
    cutout = run().cutout
    assert cutout is not None
    assert cutout.image[24, 8].tolist() == [STYLED] * 3 + [255]
    assert cutout.image[24, 56].tolist() == [0, 0, 0, 0]
    run.shared.change(mirror_output=True)
    mirrored = run().cutout
    assert mirrored is not None
    assert np.array_equal(mirrored.image, cutout.image[:, ::-1])
    run.shared.change(compare=True)
    assert run().cutout is None
    run.shared.change(compare=False, room="blur")
    assert run().cutout is None


def test_nobody_is_cut_out_before_an_output_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes time for each frame, and most outputs take no transparency; two that do share one."""
    made: list[int] = []
    cut_out = Mask.cut_out

    def counted(mask: Mask, person: Image) -> Image:
        made.append(1)
        return cut_out(mask, person)

    monkeypatch.setattr(Mask, "cut_out", counted)
    run = Run(left(), room="transparent", mirror_output=True)
    found = [run().cutout for _ in range(3)]
    assert not made
    assert found[0] is not None
    assert found[0].image is found[0].image
    assert len(made) == 1


@pytest.mark.parametrize("person", ["style", "raw"])
def test_people_do_not_glow_in_a_blurred_room(person: str) -> None:
    """Nothing of a bright person is smeared into the dark room beside them, and the room is smooth nevertheless."""
    image = np.full((360, 640, 3), 20, np.uint8)
    image[:, 480:560:8] = 60
    image[:, :320] = 250
    mask = np.zeros((90, 160), np.uint8)
    mask[:, :80] = 255
    wanted = LiveSettings("first", person=person, room="blur")
    parts = PersonRoom(Run(None).load, Run(None).load, SharedSettings(wanted), lambda: 0.0)
    found, _cutout = parts(image, image.copy(), mask, wanted)
    assert found[180, 327:400].max() < 30
    assert found[180, :310].min() == 250
    assert np.ptp(found[180, 500:540].astype(int)) < 8


def test_a_style_that_does_not_tell_asks_another_network() -> None:
    """It is loaded beside the frames, finds the person in the same frame, and is closed with the run."""
    finder = Teller(0, left())
    run = Run(None, finder, room="picture")
    assert run.halves() == ("styled", "styled")
    until(lambda: run.halves() == ("styled", "picture"), "the finder's mask")
    run.live.close()
    assert finder.closed


def test_a_missing_finder_is_said_once_and_nothing_raw_shows() -> None:
    """Person and room go back to the style, with the reason in the notice."""
    run = Run(None, person="raw", room="raw")
    until(lambda: (run().image == STYLED).all() and not run.shared.current.parted, "the feature was given up")
    assert run.shared.current.notice == "Person and room stay one: it is not there"
    assert run().mark == ""


@pytest.mark.parametrize("which", ["finder", "room"])
def test_a_network_that_fails_takes_nobodys_style_away(which: str) -> None:
    """An error on a frame: that frame is styled as a whole, and so are those after it."""
    failing = Teller(0, left(), errors=[EngineFailed("out of memory")])
    run = Run(None, failing, person="raw") if which == "finder" else Run(left(), other=failing, room="second")
    until(lambda: run() is not None and not run.shared.current.parted, "the failure")
    assert "out of memory" in run.shared.current.notice
    assert (run().image == STYLED).all()
    assert failing.closed


def test_a_frozen_picture_follows_a_change_of_the_room() -> None:
    """As of every other setting that shows in it."""
    run = Run(left(), room="picture", frozen=True)
    assert run.halves() == ("styled", "picture")
    run.shared.change(room="style")
    assert run.halves() == ("styled", "styled")


def test_the_missing_file_is_named(tmp_path: Any) -> None:
    """With what to do about it; a network that does not tell is refused, too."""
    with pytest.raises(StyleCorrupt, match=r"does not tell who is a person, and the one that would .*is not there"):
        open_person_network("identity", EngineOptions(), 64, 48, tmp_path / "none.onnx")
    (tmp_path / "other.onnx").write_bytes(b"x")
    with pytest.raises(StyleCorrupt, match=r"cannot be checked: .*other\.sha256"):
        open_person_network("identity", EngineOptions(), 64, 48, tmp_path / "other.onnx")
    (tmp_path / "other.sha256").write_text("0" * 64, encoding="ascii")
    with pytest.raises(StyleCorrupt, match=r"does not tell who is a person\. Reinstall"):
        open_person_network("identity", EngineOptions(), 64, 48, tmp_path / "other.onnx")


class Composer(Teller):
    """Finishes pictures as an engine on a GPU does, by what its own mask says."""

    def __init__(self, value: int, person: Image | None) -> None:
        super().__init__(value, person)
        self.asked: list[Look] = []

    def composes(self, width: int, height: int) -> bool:
        return True

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        self.asked.append(look)
        if not look.finish:
            return np.full_like(image, STYLED)
        assert self.person is not None
        there = np.repeat(np.repeat(self.person, 2, axis=0), 2, axis=1)[:, :, None] > 127
        drawn = np.where(there, look.person, look.room)
        return np.where(drawn, np.uint8(STYLED), image)


@pytest.mark.parametrize(
    ("person", "room", "sees"),
    [("raw", "style", ("raw", "styled")), ("style", "raw", ("styled", "raw")), ("raw", "raw", ("raw", "raw"))],
)
def test_an_engine_that_can_puts_person_and_room_together(person: str, room: str, sees: Any) -> None:
    """In its one pass, by its own mask; what it cannot do is done here, and the mark is the same."""
    run = Run(None, person=person, room=room)
    engine = Composer(STYLED, left())
    run.live = LiveStylist(run.load, engine, run.shared, Metrics())
    assert run.halves() == sees
    assert len(engine.asked) == 1
    assert run().raw
    run.shared.change(person="style", room="blur")
    assert run.halves() == ("styled", "styled")
    assert not engine.asked[-1].finish


@pytest.mark.parametrize("mask", [NOBODY, np.full((24, 32), 60, np.uint8)])
@pytest.mark.parametrize("person", ["style", "raw"])
def test_an_engine_shows_no_raw_room_while_it_finds_nobody(mask: Image, person: str) -> None:
    """It is asked for the same frame once more, styled as a whole."""
    engine = Composer(STYLED, mask)
    run = Run(None, person=person, room="raw")
    run.live = LiveStylist(run.load, engine, run.shared, Metrics())
    assert (run().image == STYLED).all()
    assert len(engine.asked) == 2


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_another_network_is_refused(tmp_path: Path, backend: str) -> None:
    """Its bytes must be those that the file beside it names; the one that comes with livefilter has them."""
    if why_unavailable(backend):
        pytest.skip(f"{backend} is not installed")
    own = person_network()
    open_person_network(backend, EngineOptions(), 64, 48).close()
    (tmp_path / "lite.onnx").write_bytes(own.read_bytes() + b"\0")
    (tmp_path / "lite.sha256").write_text(own.with_suffix(".sha256").read_text())
    with pytest.raises(StyleCorrupt, match="SHA-256"):
        open_person_network(backend, EngineOptions(), 64, 48, tmp_path / "lite.onnx")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ("first", "style", "style")),
        ({"person": "raw", "room": "second"}, ("first", "raw", "second")),
        ({"person": "second"}, ("second", "style", "first")),
        ({"person": "second", "room": "blur"}, ("second", "style", "blur")),
        ({"person": "second", "room": "second"}, ("second", "style", "style")),
        ({"room": "first"}, ("first", "style", "style")),
    ],
)
def test_settings_become_a_style_a_person_and_a_room(given: Any, found: tuple[str, str, str]) -> None:
    """The person's own style is the style of the run."""
    parts = first_parts(Config(style="first", **given), ["first", "second"])
    assert (parts.style, parts.person, parts.room) == found
    assert parts.picture is None


def test_a_room_may_be_a_file(tmp_path: Any) -> None:
    """A picture of any kind that is read elsewhere; what is neither is named with what there is."""
    import cv2

    cv2.imwrite(str(tmp_path / "beach.png"), np.full((20, 30, 3), 77, np.uint8))
    parts = first_parts(Config(style="first", room=str(tmp_path / "beach.png")), ["first"])
    assert parts.room == "picture"
    assert parts.picture is not None
    assert (parts.picture.at(60, 20) == 77).all()
    with pytest.raises(ConfigError, match=r"room = 'blurr' must be .*Did you mean 'blur'"):
        first_parts(Config(style="first", room="blurr"), ["first"])
    with pytest.raises(ConfigError, match=r"room = 'beech.png' names a file that is not there"):
        first_parts(Config(style="first", room="beech.png"), ["first"])
    with pytest.raises(ConfigError, match=r"names a folder, not a picture or clip"):
        first_parts(Config(style="first", room=str(tmp_path)), ["first"])
    with pytest.raises(ConfigError, match=r"person = 'blur' must be style, raw or first"):
        first_parts(Config(style="first", person="blur"), ["first"])


def test_actions_change_person_and_room() -> None:
    """Keys go through the rooms but never to the raw one; a person's own style leaves the room its own."""
    settings = SharedSettings(LiveSettings("first"))
    controller = Controller(settings, ["first", "second"])
    rooms = []
    for _ in range(4):
        controller.press("e")
        rooms.append(settings.current.room)
    assert rooms == ["blur", "transparent", "style", "blur"]
    controller.press("u")
    assert settings.current.person == "raw"
    controller.press("u")
    assert settings.current.person == "style"
    controller.perform("room", what="style")
    controller.perform("person", what="second")
    assert (settings.current.style, settings.current.person, settings.current.room) == ("second", "style", "first")
    with pytest.raises(InvalidInput, match=r"no room 'blurr'\. Did you mean 'blur'"):
        controller.perform("room", what="blurr")
    with pytest.raises(InvalidInput, match=r"no picture for the room\. Start it with one"):
        controller.perform("room", what="picture")
    with pytest.raises(UnknownName):
        controller.perform("person", what="nobody")


def test_the_look_of_the_second_style_is_as_strong_as_the_first() -> None:
    """A network that takes the strength is given it; another one is blended."""

    class Strong(Teller):
        takes_strength = True
        asked: list[Look]

        def __call__(self, image: Image, look: Look = PLAIN) -> Image:
            self.asked.append(look)
            return super().__call__(image, look)

    strong = Strong(OTHER)
    strong.asked = []
    run = Run(left(), other=strong, room="second", strength=0.5)
    until(lambda: run.halves()[1] == "other", "the room in its own style")
    assert strong.asked[-1].strength == 0.5
    weak = Run(left(), room="second", strength=0.5)
    until(lambda: weak.halves()[1] == [(RAW + OTHER) // 2] * 3, "the room, blended")


class Watcher(Teller):
    """Finds somebody in the half of a frame that is lighter, once it is let, and keeps on which thread it was."""

    def __init__(self) -> None:
        super().__init__(0, left())
        self.let = threading.Event()
        self.threads: list[str] = []

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        assert self.let.wait(60.0)
        self.threads.append(threading.current_thread().name)
        mask = left()
        self.person = mask if image[0, 0, 0] > image[0, -1, 0] else np.ascontiguousarray(mask[:, ::-1])
        return image


def lit(*, on_left: bool) -> Image:
    """A frame of which one half is light."""
    image = np.full((HEIGHT, WIDTH, 3), RAW, np.uint8)
    image[:, slice(0, WIDTH // 2) if on_left else slice(WIDTH // 2, WIDTH)] = 250
    return image


def test_people_are_looked_for_while_the_style_draws() -> None:
    """On a thread of its own; the picture waits for the mask of its own frame and takes no other frame's."""
    finder, wanted = Watcher(), LiveSettings("first", room="picture")
    picture = Still(np.full((HEIGHT, WIDTH, 3), PICTURE, np.uint8))
    parts = PersonRoom(Run(None).load, lambda _name: finder, SharedSettings(wanted), lambda: 0.0, picture, waits=True)
    styled, frames = np.full((HEIGHT, WIDTH, 3), STYLED, np.uint8), [lit(on_left=True), lit(on_left=False)]
    parts.ahead(frames[0])  # returns at once, although nobody is found yet
    assert not finder.threads
    finder.let.set()
    assert parts(frames[0], styled, None, wanted)[0][24, [8, 56], 0].tolist() == [STYLED, PICTURE]
    assert [name.startswith("person") for name in finder.threads] == [True]
    parts.ahead(frames[0])
    assert parts(frames[1], styled, None, wanted)[0][24, [8, 56], 0].tolist() == [PICTURE, STYLED]
    parts.close()
    assert finder.closed


@pytest.mark.parametrize(("level", "seen"), [(0, 0), (11, 55), (55, 110), (110, 110), (200, 200)])
def test_people_are_looked_for_in_the_light(level: int, seen: int) -> None:
    """A dark frame is made lighter for the network that looks, up to five times; nothing of that shows."""
    looked: list[int] = []

    class Looker(Teller):
        def __call__(self, image: Image, look: Look = PLAIN) -> Image:
            looked.append(int(image[20, 20, 1]))
            return image

    wanted = LiveSettings("first", room="raw")
    parts = PersonRoom(Run(None).load, lambda _name: Looker(0, left()), SharedSettings(wanted), lambda: 0.0, waits=True)
    frame = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
    image, _cutout = parts(frame, np.full_like(frame, STYLED), None, wanted)
    assert looked == [seen]
    assert image[24, [8, 56], 0].tolist() == [STYLED, level]
    parts.close()


def test_only_a_style_that_does_not_tell_has_people_looked_for() -> None:
    """One that tells is asked after it has drawn, and no second network runs."""
    finder = Watcher()
    finder.let.set()
    run = Run(left(), finder, room="picture")
    assert run.halves() == ("styled", "picture")
    assert not finder.threads
    silent = Run(None, finder, room="picture")
    until(lambda: silent() is not None and bool(finder.threads), "a look at a frame")
    silent.live.close()
