"""`livefilter train styles`: every style from nothing, in the order that the recipes' schedules ask for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from livefilter.cli.train import train
from livefilter.errors import InvalidInput, UnknownName
from livefilter.styles.card import read_card
from livefilter.training.lineage import lineage
from livefilter.training.recipe import Schedule, StyleRecipe, read_recipe, trainable_styles
from tests.training.mobile import weights, write_keras


def recipe(style: str, **schedule: Schedule) -> StyleRecipe:
    """A recipe of which only the schedule counts."""
    return StyleRecipe(style, [], [], schedule=schedule)


def test_a_network_comes_after_the_one_that_it_begins_with() -> None:
    """And each comes once, however many begin with it."""
    recipes = {
        "ink": recipe("ink", lite=Schedule(9), full=Schedule(3, after="ink-lite")),
        "wash": recipe("wash", lite=Schedule(2, after="ink-lite"), full=Schedule(1, after="ink-full")),
    }
    assert list(lineage(recipes, ["wash-full"])) == ["ink-lite", "ink-full", "wash-full"]
    assert list(lineage(recipes, ["wash-lite", "ink-lite", "wash-full"])) == [
        "ink-lite",
        "wash-lite",
        "ink-full",
        "wash-full",
    ]
    assert lineage(recipes, ["ink-lite"]) == {"ink-lite": Schedule(9)}


def test_what_cannot_be_trained_is_said() -> None:
    """A network without a schedule, and one that would begin with itself."""
    recipes = {
        "ink": recipe("ink", lite=Schedule(1, after="wash-lite")),
        "wash": recipe("wash", lite=Schedule(1, after="ink-lite")),
    }
    with pytest.raises(InvalidInput, match="ink-lite would begin with itself"):
        lineage(recipes, ["ink-lite"])
    with pytest.raises(InvalidInput, match="schedule for ink-full"):
        lineage(recipes, ["ink-full"])


def test_every_bundled_style_can_be_trained_from_nothing() -> None:
    """The schedules of the bundled recipes fit together, and begin with random weights somewhere."""
    names = [f"{style}-{size}" for style in trainable_styles() for size in ("lite", "full")]
    order = lineage({style: read_recipe(style) for style in trainable_styles()}, names)
    assert sorted(order) == sorted(names)
    assert not next(iter(order.values())).after


def test_a_schedule_that_is_none_is_refused(tmp_path: Path) -> None:
    """With what it may have."""
    file = tmp_path / "odd.toml"
    file.write_text('style = "hayao"\nscales = []\nsteps = []\n[schedule.lite]\nstep = 3\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="steps, after, adversarial_from"):
        read_recipe(str(file))


@pytest.fixture
def words(tmp_path: Path, photos: Path, teacher: Path) -> list[str]:
    """A command line that trains shinkai's lite for a step, and before it what it begins with."""
    for name in ("AnimeGANv3_tiny_Cute", "AnimeGANv3_Hayao_36", "AnimeGANv3_Shinkai_37"):
        shutil.copy(teacher, tmp_path / f"{name}.onnx")
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "faces.json").write_text("{}", encoding="utf-8")
    folders = {"photos": photos, "teachers": tmp_path, "people": tmp_path / "people"}
    folders |= {"caches": tmp_path / "caches", "out": tmp_path / "out"}
    folders["perceptual"] = write_keras(tmp_path / "mobile.h5", weights())
    options = [part for name, folder in folders.items() for part in (f"--{name}", str(folder))]
    return ["styles", "--style", "shinkai", "--network", "lite", *options]


SHORT = ["--steps", "1", "--batch", "3", "--crop", "64", "--float32", "--threads", "1"]


def test_styles_are_trained_one_after_another(words: list[str], tmp_path: Path) -> None:
    """The one that is asked for begins with hayao's, which is trained first; both are whole styles in the end."""
    pytest.importorskip("torch")
    result = CliRunner().invoke(train, [*words, *SHORT], catch_exceptions=False)
    assert result.exit_code == 0
    assert "1 of 2: hayao-lite" in result.output
    assert "2 of 2: shinkai-lite" in result.output
    for style in ("hayao", "shinkai"):
        card = read_card(tmp_path / "out" / style)
        assert card.networks["lite"].path.is_file()
        assert f"--recipe {style} --network lite" in card.networks["lite"].training
    assert "--start-from" in card.networks["lite"].training


def test_schedules_can_be_longer(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Their steps are; where the discriminator joins is a number of steps after a start, or a share of all."""
    pytest.importorskip("torch")
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert CliRunner().invoke(train, [*words, "--longer", "2.5"], catch_exceptions=False).exit_code == 0
    schedules = [read_recipe(style).schedule["lite"] for style in ("hayao", "shinkai")]
    for command, schedule in zip(commands, schedules, strict=True):
        assert command[command.index("--steps") + 1] == str(round(2.5 * schedule.steps))
    assert "--adversarial-from" not in commands[0]
    assert commands[1][commands[1].index("--adversarial-from") + 1] == str(schedules[1].adversarial_from)


def test_an_error_of_one_network_ends_the_command(words: list[str], tmp_path: Path) -> None:
    """With its exit code, and without training those after it."""
    pytest.importorskip("torch")
    (tmp_path / "AnimeGANv3_tiny_Cute.onnx").unlink()
    result = CliRunner().invoke(train, [*words, *SHORT])
    assert result.exit_code not in (0, None)
    assert "2 of 2" not in result.output


def test_drawings_of_every_style_can_be_made_first(words: list[str], tmp_path: Path) -> None:
    """Nothing is trained then."""
    pytest.importorskip("torch")
    result = CliRunner().invoke(train, [*words, "--draw-only", *SHORT], catch_exceptions=False)
    assert result.exit_code == 0
    assert list((tmp_path / "caches" / "shinkai").glob("*.png"))
    assert not (tmp_path / "out").exists()


def test_a_typo_is_named(words: list[str]) -> None:
    """In a style or a size, before anything is drawn."""
    pytest.importorskip("torch")
    with pytest.raises(UnknownName, match="hayoa"):
        CliRunner().invoke(train, [*words, "--style", "hayoa"], catch_exceptions=False)
    with pytest.raises(UnknownName, match="light"):
        CliRunner().invoke(train, [*words, "--network", "light"], catch_exceptions=False)


def test_what_a_recipe_compares_by_is_asked_for(words: list[str], tmp_path: Path) -> None:
    """And not wanted where a recipe has no use for it."""
    pytest.importorskip("torch")
    place = words.index("--perceptual")
    option, file = words[place : place + 2]
    alone = ["distill", *words[words.index("--photos") : words.index("--caches")]]
    alone += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out"), "--start-from", "any.onnx"]
    with pytest.raises(InvalidInput, match="Keras file with --perceptual"):
        CliRunner().invoke(train, [*alone, "--recipe", "shinkai"], catch_exceptions=False)
    plain = tmp_path / "plain.toml"
    plain.write_text('style = "shinkai"\nscales = ["128"]\nsteps = []\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="Leave it out"):
        CliRunner().invoke(train, [*alone, "--recipe", str(plain), option, file], catch_exceptions=False)


def test_a_network_that_begins_with_another_is_not_trained_without_it(tmp_path: Path) -> None:
    """`train distill` alone says whose weights it lacks, and what trains both."""
    pytest.importorskip("torch")
    words = ["distill", "--recipe", "shinkai", "--photos", str(tmp_path), "--teachers", str(tmp_path)]
    with pytest.raises(InvalidInput, match=r"hayao-lite.*--start-from.*train styles --style shinkai"):
        CliRunner().invoke(
            train, [*words, "--cache", str(tmp_path / "c"), "--out", str(tmp_path / "o")], catch_exceptions=False
        )
