"""`livefilter train distill`, from photos to the folder of a style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from livefilter.cli.train import train
from livefilter.errors import InvalidInput, UnknownName

pytest.importorskip("torch")
pytest.importorskip("tqdm")
pytest.importorskip("onnx")

from livefilter.training.data import Pair, is_held_out
from livefilter.training.distill import Distillation
from livefilter.training.distill_recipe import DistillRecipe


def arguments(photos: Path, teacher: Path, **changes: str) -> list[str]:
    """The command line of a run of three steps."""
    options = {"style": "hayao", "photos": str(photos), "teacher": str(teacher), "scale": "128", "steps": "3"}
    options |= {"cache": str(photos.parent / "cache"), "out": str(photos.parent / "out"), "batch": "3", "crop": "64"}
    options |= {"adversarial-from": "2", "threads": "1"} | changes
    return ["distill", "--float32", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_photos_become_a_style(photos: Path, teacher: Path) -> None:
    """The command computes the teacher's drawings, trains, measures and writes a complete style."""
    result = CliRunner().invoke(train, arguments(photos, teacher), catch_exceptions=False)
    assert result.exit_code == 0
    style = photos.parent / "out" / "style"
    made = ["card.toml", "lite.int8.onnx", "lite.onnx", "picture.jpg"]
    assert sorted(path.name for path in style.iterdir()) == made
    card = (style / "card.toml").read_text(encoding="utf-8")
    assert "held_out_photos = 1" in card
    assert str(photos) not in card


def test_drawings_can_be_made_without_training(photos: Path, teacher: Path) -> None:
    """They are in the cache, to be looked through; nothing is trained."""
    result = CliRunner().invoke(train, [*arguments(photos, teacher), "--draw-only"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 to learn from, 1 held out" in result.output
    assert len(list((photos.parent / "cache").rglob("*.png"))) >= 3
    assert not (photos.parent / "out").exists()


def test_the_weight_of_consistency_reaches_the_training(
    photos: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe has the number that was asked for, every other weight as before, and the card has the command."""
    recipes: list[DistillRecipe] = []

    class Noted(Distillation):
        def __init__(self, pairs: Sequence[Pair], recipe: DistillRecipe, *given: Any) -> None:
            recipes.append(recipe)
            super().__init__(pairs, recipe, *given)

    monkeypatch.setattr("livefilter.training.distill.Distillation", Noted)
    monkeypatch.setattr("sys.argv", ["livefilter", "train", *arguments(photos, teacher, consistency="7")])
    CliRunner().invoke(train, arguments(photos, teacher, consistency="7"), catch_exceptions=False)
    (recipe,) = recipes
    assert recipe.weights == DistillRecipe().weights | {"consistency": 7.0}
    assert "--consistency 7" in (photos.parent / "out" / "style" / "card.toml").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_a_graphics_card_needs_reaches_the_training(
    photos: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large batches with several repeats, larger steps, other weights, processes; and the card says how far it came."""
    given: dict[str, Any] = {}

    class Noted(Distillation):
        def __init__(self, pairs: Sequence[Pair], recipe: DistillRecipe, *rest: Any) -> None:
            given.update(recipe=recipe, rest=rest)
            super().__init__(pairs, recipe, *rest)

    monkeypatch.setattr("livefilter.training.distill.Distillation", Noted)
    words = arguments(
        photos, teacher, batch="4", repeats="2", rate="1.5", flatness="0.25", workers="1", minutes="0.001"
    )
    words.remove("--steps")
    words.remove("3")
    assert CliRunner().invoke(train, words, catch_exceptions=False).exit_code == 0
    recipe = given["recipe"]
    assert (recipe.batch, recipe.repeats, recipe.minutes) == (4, 2, 0.001)
    assert recipe.steps > 1_000_000
    assert recipe.learning_rate == pytest.approx(1.5 * DistillRecipe().learning_rate)
    assert recipe.kernel_learning_rate == pytest.approx(1.5 * DistillRecipe().kernel_learning_rate)
    assert recipe.weights == DistillRecipe().weights | {"flatness": 0.25}
    assert given["rest"][1:] == ("cpu", 1, None)
    assert "# 1 steps" in (photos.parent / "out" / "style" / "card.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"batch": "4", "repeats": "3"}, "--repeats 3 is more than half"), ({"rate": "0"}, "--rate 0.0 is no factor")],
)
def test_amounts_that_cannot_be_are_refused(photos: Path, teacher: Path, changes: dict[str, str], said: str) -> None:
    """Before anything is computed."""
    with pytest.raises(InvalidInput, match=said):
        CliRunner().invoke(train, arguments(photos, teacher, **changes), catch_exceptions=False)
    assert not (photos.parent / "cache").exists()


def test_a_style_that_cannot_be_trained_is_named(photos: Path, teacher: Path) -> None:
    """A typo in the style is an error before anything is computed."""
    with pytest.raises(UnknownName, match="hayoa"):
        CliRunner().invoke(train, arguments(photos, teacher, style="hayoa"), catch_exceptions=False)
    assert not (photos.parent / "cache").exists()


def test_too_few_photos_are_refused(photos: Path, teacher: Path) -> None:
    """Without a photo to measure on there is no training."""
    for path in photos.iterdir():
        if is_held_out(path.name):
            path.unlink()
    with pytest.raises(InvalidInput, match="too small"):
        CliRunner().invoke(train, arguments(photos, teacher), catch_exceptions=False)


def test_pairs_train_without_a_teacher(photos: Path, teacher: Path) -> None:
    """Photos and drawings of the same names are enough; a teacher may join, but not without photos to draw."""
    pairs = ("--pairs", str(photos), str(photos))
    words = arguments(photos, teacher)
    for option in ("--photos", "--teacher"):
        place = words.index(option)
        del words[place : place + 2]
    result = CliRunner().invoke(train, [*words, *pairs], catch_exceptions=False)
    assert result.exit_code == 0
    assert (photos.parent / "out" / "style" / "card.toml").is_file()
    again = [*words, *pairs, "--out", str(photos.parent / "joined"), "--cache", str(photos.parent / "joined-cache")]
    with pytest.raises(InvalidInput, match="both"):
        CliRunner().invoke(train, [*again, "--teacher", str(teacher)], catch_exceptions=False)
    joined = [*again, "--teacher", str(teacher), "--photos", str(photos)]
    assert CliRunner().invoke(train, joined, catch_exceptions=False).exit_code == 0


def test_a_size_that_is_not_there_is_named(photos: Path, teacher: Path) -> None:
    """Networks come in two sizes, and a typo names them."""
    with pytest.raises(UnknownName, match="lite"):
        CliRunner().invoke(train, arguments(photos, teacher, network="light"), catch_exceptions=False)


def test_a_graphics_card_that_is_not_there_is_said(
    photos: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training never falls back to the processor by itself."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InvalidInput, match="needs an NVIDIA card"):
        CliRunner().invoke(train, arguments(photos, teacher, device="cuda"), catch_exceptions=False)


def test_the_baseline_is_asked_for_pixels_alone(photos: Path, teacher: Path) -> None:
    """A plain L1 run learns the bare drawing and has no discriminator, and its card says so."""
    result = CliRunner().invoke(train, [*arguments(photos, teacher), "--plain-l1"], catch_exceptions=False)
    assert result.exit_code == 0
    recipe = DistillRecipe().plain_l1()
    assert {name for name, weight in recipe.weights.items() if weight} == {"pixels"}
    assert recipe.adversarial_from == recipe.steps
