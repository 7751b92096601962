"""Whole runs, and what they leave behind."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import cv2
import pytest
import torch
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from livefilter.errors import InvalidInput
from livefilter.generator.animegan import version_of
from livefilter.training.animegan.files import read_generator, write_generator
from livefilter.training.animegan.recipe import AnimeGanRecipe
from livefilter.training.animegan.run import BEST, LATEST, LOGS, RESULT, Run
from livefilter.training.animegan.samples import Samples
from livefilter.training.animegan.trainer import Trainer, read_checkpoint
from livefilter.training.data import list_photos
from tests.training.animegan.conftest import CROP, Material
from tests.training.animegan.test_data import decks
from tests.training.animegan.test_trainer import TINY, trainer

pytestmark = pytest.mark.timeout(300)  # seconds of work, minutes on a machine with much else to do
SHORT = dataclasses.replace(TINY, steps=4, pretrain_steps=2)


def run(material: Material, out: Path, recipe: AnimeGanRecipe = SHORT) -> Trainer:
    """Train to the end of a recipe, or from where `out` got to."""
    training = trainer(material, recipe)
    samples = Samples(list_photos(material.photos)[:2], list_photos(material.style), CROP)
    Run(training, samples, out, every=2, shown=1).train(decks(material), workers=2)
    return training


def test_a_run_leaves_all_that_it_should(material: Material, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Checkpoints, sheets, logs of every term and the result; a longer run goes on from there."""
    done = run(material, tmp_path)
    sheets = ["sheet-000002.jpg", "sheet-000004.jpg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([BEST, LATEST, LOGS, RESULT, *sheets])
    sheet = cv2.imread(str(tmp_path / sheets[0]))
    assert sheet is not None
    assert sheet.shape == (820, 1024, 3)

    with caplog.at_level(logging.INFO):
        longer = run(material, tmp_path, dataclasses.replace(SHORT, steps=5))
    assert "going on at step 4" in caplog.text
    assert longer.step == 5
    assert longer.best <= done.best < float("inf")

    events = EventAccumulator(str(tmp_path / LOGS))
    events.Reload()
    assert [event.step for event in events.Scalars("generator/content")] == [1, 2, 3, 4, 5]
    assert [event.step for event in events.Scalars("discriminator/smooth")] == [3, 4, 5]
    assert [event.step for event in events.Scalars("kept out/total")] == [2, 4, 5]
    assert [event.step for event in events.Images("sheet")] == [2, 4, 5]


def test_the_result_is_the_last_generator(material: Material, tmp_path: Path) -> None:
    """As safetensors with the names of its state dict, as checkpoint and as ONNX; best.pt is of the second phase."""
    done = run(material, tmp_path)
    wanted = done.generator.state_dict()
    with safe_open(tmp_path / RESULT, framework="pt") as kept:
        assert sorted(kept.keys()) == sorted(wanted)
        assert kept.metadata() == {"version": "v2-light", "preset": "hayao", "step": "4"}
    for file in (RESULT, LATEST):
        found = read_generator(tmp_path / file)
        assert version_of(found) == "v2-light"
        assert all(torch.equal(found.state_dict()[name], wanted[name]) for name in wanted)
    assert read_checkpoint(tmp_path / BEST)["step"] > SHORT.pretrain_steps
    with pytest.raises(InvalidInput, match="no suffix that is known"):
        write_generator(done.generator, tmp_path / "generator.bin", {})
    with pytest.raises(InvalidInput, match="does not exist"):
        write_generator(done.generator, tmp_path / "none" / "generator.onnx", {})


def test_losses_that_are_not_finite_end_the_run(material: Material, tmp_path: Path) -> None:
    """The run stops before it would overwrite a good checkpoint with a broken one."""
    with pytest.raises(InvalidInput, match="not finite at step 2"):
        run(material, tmp_path, dataclasses.replace(SHORT, pretrain_rate=1e30))
    assert not (tmp_path / LATEST).exists()
