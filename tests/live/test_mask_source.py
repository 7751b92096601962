"""What says where people are: the style's own network while somebody asks, or the small one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from livefilter.config import Config
from livefilter.control.settings import LiveSettings
from livefilter.live import compose
from livefilter.live.compose import compose_live
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.live.mask_source import asks_style
from livefilter.styles.catalogue import Catalogue
from tests.conftest import picture
from tests.fakes import NoKeys, until
from tests.inference.own_networks import write_own_network
from tests.styles.folders import write_style

QUICK: dict[str, Any] = {"input": "demo", "output": ("null",), "process_size": 64, "backend": "onnxruntime"}


@pytest.mark.parametrize(
    ("person", "room", "backend", "asks"),
    [
        ("style", "style", "onnxruntime", False),
        ("style", "blur", "onnxruntime", True),
        ("raw", "style", "openvino", True),
        ("style", "picture", "openvino", True),
        ("style", "hayao", "openvino", False),
        ("style", "hayao", "tensorrt", True),
        ("style", "style", "tensorrt", False),
    ],
)
def test_a_style_is_asked_while_its_mask_is_of_use(person: str, room: str, backend: str, asks: bool) -> None:
    """Nobody asks for a picture in one style; two styles on a processor need the mask before they draw."""
    assert asks_style(LiveSettings("first", person=person, room=room), backend) == asks


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A style whose network tells where people are, and one whose does not."""
    for name, person in (("tells", 2), ("silent", 0)):
        network = write_own_network(tmp_path / f"{name}.onnx", person=person).read_bytes()
        entry = {"sha256": hashlib.sha256(network).hexdigest()}
        (write_style(tmp_path / "styles", name, networks={"lite": entry}) / "lite.onnx").write_bytes(network)
    monkeypatch.setattr(compose, "Catalogue", lambda: Catalogue(user=tmp_path / "styles"))
    monkeypatch.setattr("livefilter.live.configured_stylist.Catalogue", lambda: Catalogue(user=tmp_path / "styles"))
    return tmp_path / "styles"


def test_a_run_opens_what_tells_when_it_is_asked(styles: Path) -> None:
    """While person and room are one the network has no such output; a blurred room brings it, and its end takes it."""
    live = compose_live(Config(**QUICK, style="tells"), NoKeys())
    live.pipeline.start()
    try:
        assert live.stylist.styler.person is None
        live.settings.change(room="blur")
        until(lambda: live.stylist.styler.person is not None, "a mask of the style's own")
        live.settings.change(room="style")
        until(lambda: live.stylist.styler.person is None, "the network without it")
    finally:
        live.pipeline.stop()
        live.pipeline.join()


def test_a_style_that_cannot_tell_is_not_opened_again(styles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small network finds people for it, and nothing is loaded in vain."""
    live = compose_live(Config(**QUICK, style="silent"), NoKeys())
    asked: list[str] = []
    monkeypatch.setattr(live.stylist, "reload", asked.append)
    live.pipeline.start()
    try:
        live.settings.change(room="blur")
        assert asked == []
    finally:
        live.pipeline.stop()
        live.pipeline.join()


def test_a_render_asks_only_for_what_it_puts_together(styles: Path) -> None:
    """Its style tells where people are if the room is another one, and does not if all of it is drawn."""
    for room, tells in (("style", False), ("blur", True)):
        with ConfiguredStylist(Config(**QUICK, style="tells", room=room)) as stylist:
            stylist(picture(96, 64))
            assert stylist._styler is not None
            assert stylist._styler.gives_person == tells
