"""Training steps and whole runs on a few pictures made on the spot, with random VGG weights."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from livefilter.errors import InvalidInput
from livefilter.training.animegan.recipe import PRESETS, AnimeGanRecipe, Weights
from livefilter.training.animegan.team import Team
from livefilter.training.animegan.trainer import Trainer
from livefilter.training.animegan.vgg import read_vgg
from tests.training.animegan.conftest import CROP, Material
from tests.training.animegan.test_data import decks

pytestmark = pytest.mark.timeout(300)  # seconds of work, minutes on a machine with much else to do
ALONE = Team(torch.device("cpu"))
GENERATOR = {f"generator/{name}" for name in ("adversarial", "content", "style", "colour", "variation", "total")}
DISCRIMINATOR = {f"discriminator/{name}" for name in ("anime", "drawn", "grey", "smooth", "total")}
TINY = AnimeGanRecipe(
    steps=18, pretrain_steps=6, version="v2-light", batch=2, crop=CROP, pretrain_rate=2e-3, rate=1e-4, judge_rate=1e-4
)


# Read once: it does not learn.
vgg = functools.cache(read_vgg)


def trainer(material: Material, recipe: AnimeGanRecipe = TINY) -> Trainer:
    """A trainer on this machine's processor."""
    return Trainer(recipe, vgg(material.vgg), ALONE)


def learn(training: Trainer, material: Material, until: int) -> list[dict[str, float]]:
    """Go on until a step; returns every step's terms."""
    rows = decks(material).stream(training.step, until, 0, training.recipe.batch)
    return [{name: float(value) for name, value in training.learn(batch).items()} for batch in rows]


def learn_one(training: Trainer, material: Material, steps: int) -> list[dict[str, float]]:
    """The same with one batch again and again, so that nothing but learning moves the terms."""
    batch = next(decks(material).stream(0, 1, 0, training.recipe.batch))
    return [{name: float(value) for name, value in training.learn(batch).items()} for _ in range(steps)]


def test_both_phases_move_their_terms(material: Material) -> None:
    """Content falls in pre-training; then the judge gets better at all four kinds, and the generator at passing."""
    history = learn_one(trainer(material), material, TINY.steps)
    first, second = history[: TINY.pretrain_steps], history[TINY.pretrain_steps :]
    assert all(set(terms) == {"generator/content", "generator/total"} for terms in first)
    assert all(set(terms) == GENERATOR | DISCRIMINATOR for terms in second)
    assert all(np.isfinite(value) for terms in history for value in terms.values())
    assert first[-1]["generator/content"] < 0.8 * first[0]["generator/content"]
    for name in (*DISCRIMINATOR, "generator/adversarial"):
        assert np.mean([terms[name] for terms in second[-3:]]) < 0.8 * second[0][name], name
    for name in GENERATOR:
        assert second[-1][name] != second[0][name]


@pytest.mark.parametrize("term", ["adversarial", "content", "style", "colour", "variation"])
def test_each_term_falls_where_it_alone_counts(material: Material, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all weights but one at nothing, its term goes down: the generator can do what each asks for."""
    nothing = dict.fromkeys((field.name for field in dataclasses.fields(Weights)), 0.0)
    monkeypatch.setitem(PRESETS, "hayao", Weights(**nothing | {term: 1.0}))
    training = trainer(material, dataclasses.replace(TINY, pretrain_steps=0, rate=1e-3))
    found = [terms[f"generator/{term}"] for terms in learn_one(training, material, 14)]  # the first steps overshoot
    assert min(found[-2:]) < 0.95 * found[0]


@pytest.mark.parametrize("cut", [2, 3], ids=["border", "anime"])
def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(material: Material, tmp_path: Path, cut: int) -> None:
    """Saving, restoring and going on gives the same weights as going through, in the second phase and at its border."""
    recipe = dataclasses.replace(TINY, steps=4, pretrain_steps=2)
    through, first = trainer(material, recipe), trainer(material, recipe)
    learn(through, material, 4)
    learn(first, material, cut)
    first.save(tmp_path / "latest.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["latest.pt"]
    resumed = trainer(material, recipe)
    resumed.restore(tmp_path / "latest.pt")
    assert resumed.step == cut
    learn(resumed, material, 4)
    for network in ("generator", "discriminator"):
        wanted, found = (getattr(which, network).state_dict() for which in (through, resumed))
        for name in wanted:
            torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-7)


def test_a_checkpoint_of_another_run_is_refused(material: Material, tmp_path: Path) -> None:
    """The error names what differs; more steps and another precision are no difference."""
    path = tmp_path / "latest.pt"
    trainer(material).save(path)
    trainer(material, dataclasses.replace(TINY, steps=99, precision="bfloat16")).restore(path)
    with pytest.raises(InvalidInput, match="preset hayao, not paprika"):
        trainer(material, dataclasses.replace(TINY, preset="paprika")).restore(path)
    with pytest.raises(InvalidInput, match="version v2-light, not v2"):
        trainer(material, dataclasses.replace(TINY, version="v2")).restore(path)
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(InvalidInput, match="not a checkpoint"):
        trainer(material).restore(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidInput, match="not a readable file"):
        trainer(material).restore(path)


def test_the_seed_decides(material: Material) -> None:
    """The same seed gives the same generator, another seed another."""
    one, same, other = (trainer(material, dataclasses.replace(TINY, seed=seed)).generator for seed in (3, 3, 4))
    name = "block_a.0.1.weight"
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])


def test_bfloat16_learns_what_float32_learns(material: Material) -> None:
    """Mixed precision on the processor: terms near those of float32, weights and optimizer in float32."""
    recipe = dataclasses.replace(TINY, steps=4, pretrain_steps=2)
    wanted = learn_one(trainer(material, recipe), material, 4)
    mixed = trainer(material, dataclasses.replace(recipe, precision="bfloat16"))
    found = learn_one(mixed, material, 4)
    assert {values.dtype for values in mixed.generator.parameters()} == {torch.float32}
    assert found[0] != wanted[0]
    for name in ("generator/content", "generator/colour", "discriminator/grey"):
        assert found[2].get(name, 0) == pytest.approx(wanted[2].get(name, 0), rel=0.15)


def test_float16_is_for_gpus(material: Material) -> None:
    """On the processor it is refused before anything starts."""
    with pytest.raises(InvalidInput, match="bfloat16"):
        trainer(material, dataclasses.replace(TINY, precision="float16"))


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_gpu_trains(material: Material, precision: str) -> None:
    """Both phases run on a GPU in each precision, and content falls."""
    if not torch.cuda.is_available():
        pytest.skip("there is no NVIDIA GPU")
    recipe = dataclasses.replace(TINY, steps=8, precision=precision)
    training = Trainer(recipe, vgg(material.vgg), Team(torch.device("cuda", 0)))
    history = learn_one(training, material, 8)
    assert history[5]["generator/content"] < history[0]["generator/content"]
    assert all(np.isfinite(value) for terms in history for value in terms.values())
