"""Teaching a finished network to say where people are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("torch")

import torch
from click.testing import CliRunner

from livefilter.cli.train import train
from livefilter.errors import UnknownName
from livefilter.generator.network import Design, Generator
from livefilter.generator.rebuild import generator_from_onnx
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.styles.card import Style, read_card
from livefilter.training import person_branch
from livefilter.training.card import write_style
from livefilter.training.person import overlap
from livefilter.training.person_branch import repeat, train_branch
from tests.conftest import picture
from tests.training.test_person import HELD_OUT, SEEN, folders, sitter

DESIGN = Design(8, 8, 16, half_convs=1, eighth_blocks=1, strength=1)


def test_people_are_learnt_and_the_drawing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red people are found in a photo held out after some steps; no weight that draws has moved."""
    monkeypatch.setattr(person_branch, "SHAPES", ((96, 64), (64, 96)))
    torch.manual_seed(0)
    sitters, drawing = [sitter(SEEN), sitter(HELD_OUT)], Generator(DESIGN).eval()
    before = overlap(train_branch(drawing, sitters, 1, batch=2), sitters, 96)
    taught = train_branch(drawing, sitters, 60, batch=2)
    after = overlap(taught, sitters, 96)
    assert after["iou"] > 0.6 > before["iou"]
    kept = taught.state_dict()
    assert all(torch.equal(values, kept[name]) for name, values in drawing.state_dict().items())
    assert drawing.person is None


def test_what_is_there_again_has_other_noise_and_the_same_mask() -> None:
    """The first of a batch in the place of its last ones; what is between them stays."""
    pictures, masks = np.full((5, 48, 64, 3), 100, np.uint8), np.arange(5, dtype=np.uint8)[:, None, None]
    masks = np.broadcast_to(masks, (5, 48, 64)).copy()
    repeat(pictures, masks, 2, np.random.default_rng(0))
    assert [int(mask[0, 0]) for mask in masks] == [0, 1, 2, 0, 1]
    assert [bool(each.std() > 0) for each in pictures] == [False, False, False, True, True]
    assert abs(pictures[3:].mean() - 100) < 1


@pytest.fixture
def style(tmp_path: Path) -> Path:
    """The folder of a style with one network, in both forms."""
    torch.manual_seed(0)
    cv2.imwrite(str(tmp_path / "shown.png"), picture(64, 64))
    card = Style("ink", "Ink", "non-commercial", tmp_path / "ink", {})
    frames = [picture(96, 64), picture(64, 64)]
    write_style(card.folder, card, "lite", Generator(DESIGN), "trained", {"psnr": 1.5}, tmp_path / "shown.png", frames)
    return card.folder


def test_one_command_teaches_a_style(tmp_path: Path, style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files tell where people are and draw as before; the card has their checksums, and says how, only once."""
    monkeypatch.setattr(person_branch, "SHAPES", ((96, 64), (64, 96)))
    frame = picture(96, 64)
    before = read_card(style).networks["lite"]
    with OnnxRuntimeCpu(before.path, 96, 64) as engine:
        drawn = engine.run(frame).copy()
    assert not before.tells_people
    asked = ["person-branch", str(style), *folders(tmp_path), "--steps", "2"]
    for _ in range(2):
        ran = CliRunner().invoke(train, [*asked, "--batch", "2"], catch_exceptions=False)
        assert ran.exit_code == 0
    after = read_card(style).networks["lite"]
    after.verify()
    assert after.tells_people
    assert generator_from_onnx(after.path, after.sha256).design.person == 2
    for path in (after.path, after.int8_path):
        assert path is not None
        with OnnxRuntimeCpu(path, 96, 64) as engine:
            found = engine.run(frame).copy()
            assert engine.gives_person
        assert path != after.path or np.array_equal(found, drawn)
    assert after.training.startswith("trained  # then where people are: livefilter train person-branch STYLE")
    assert after.training.count("person-branch") == 1
    assert after.figures["psnr"] == 1.5
    assert after.figures["person_photos"] == 1
    assert (after.parameters, after.macs_per_pixel) == (before.parameters, before.macs_per_pixel)
    with pytest.raises(UnknownName, match="full"):
        CliRunner().invoke(train, [*asked, "--network", "full"], catch_exceptions=False)
