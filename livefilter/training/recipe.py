"""A style's recipe file: who draws its targets, in which steps, and how its networks learn from them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from livefilter.errors import InvalidInput, UnknownName
from livefilter.styles.card import Style, read_card
from livefilter.toml import tomllib
from livefilter.training.target import Finish

RECIPE = "recipe.toml"
_STYLES = Path(__file__).resolve().parents[1] / "styles"


@dataclass(frozen=True)
class Schedule:
    """How long one network of a style is trained, and with whose weights it begins.

    after: "hayao-lite", a network that is trained before, or "" for random weights; it may be a smaller one.
    adversarial_from: the step at which the discriminator joins; None: `StyleRecipe.adversarial_after` tells.
    """

    steps: int
    after: str = ""
    adversarial_from: int | None = None


@dataclass(frozen=True)
class StyleRecipe:
    """What `livefilter train distill --recipe` reads.

    style: name of the style. steps, last: of the chain, see `ChainArtist`. scales: longest sides at which photos are
    drawn. crop, batch: of a step. adversarial_after: share of the steps after which the discriminator joins. flatness,
    consistency, perceptual: weights of these losses. finish: how drawings of a single teacher become targets; the chain
    of the steps makes targets itself. schedule: of each size of the network.
    """

    style: str
    steps: list[dict[str, Any]]
    scales: list[str]
    crop: int = 224
    batch: int = 5
    adversarial_after: float = 0.45
    flatness: float = 0.7
    consistency: float = 1.2
    perceptual: float = 0.0
    last: list[dict[str, Any]] = field(default_factory=list)
    finish: Finish = field(default_factory=Finish)
    schedule: dict[str, Schedule] = field(default_factory=dict)


def trainable_styles() -> list[str]:
    """The names of the bundled styles that have a recipe."""
    return sorted(each.parent.name for each in _STYLES.glob(f"*/{RECIPE}"))


def card_of(name: str) -> Style:
    """The card of a bundled style, for what it says and no training run can know.

    Raises: UnknownName: there is no style of that name that can be trained.
    """
    if name not in trainable_styles():
        raise UnknownName("trainable style", name, trainable_styles())
    return read_card(_STYLES / name)


def read_recipe(name: str) -> StyleRecipe:
    """Read the recipe of a bundled style, or the file of this path.

    Raises: InvalidInput: there is none, or it is not understood.
    """
    path = Path(name) if name.endswith(".toml") else _STYLES / name / RECIPE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidInput(
            f"There is no recipe {name}: name one of {', '.join(trainable_styles())}, or a .toml file."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"The recipe {path} cannot be read: {error}.") from error
    known = {each.name for each in fields(StyleRecipe)}
    if unknown := sorted(set(found) - known):
        raise InvalidInput(f"The recipe {path} has {', '.join(unknown)}; it may have {', '.join(sorted(known))}.")
    if missing := sorted({"style", "steps", "scales"} - set(found)):
        raise InvalidInput(f"The recipe {path} lacks {', '.join(missing)}.")
    try:
        finish = Finish(**found.pop("finish", {}))
    except TypeError as error:
        raise InvalidInput(f"The recipe {path} has another finish than recolour or keeps_greys.") from error
    try:
        schedule = {size: Schedule(**each) for size, each in found.pop("schedule", {}).items()}
    except (AttributeError, TypeError) as error:
        names = ", ".join(each.name for each in fields(Schedule))
        raise InvalidInput(f"The recipe {path} has another schedule of a network than {names}.") from error
    return StyleRecipe(**found, finish=finish, schedule=schedule)
