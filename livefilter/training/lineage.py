"""In which order networks are trained from nothing, where some begin with the weights of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livefilter.errors import InvalidInput
from livefilter.training.recipe import Schedule, StyleRecipe


def lineage(recipes: Mapping[str, StyleRecipe], wanted: Sequence[str]) -> dict[str, Schedule]:
    """The networks to train, in order: those that are wanted, and before each the one with which it begins.

    wanted: such as "hayao-lite".

    Raises: InvalidInput: a network has no schedule, or begins with itself.
    """
    schedules = {f"{style}-{size}": each for style, recipe in recipes.items() for size, each in recipe.schedule.items()}
    ordered: dict[str, Schedule] = {}
    for name in wanted:
        ancestors: list[str] = []
        while name and name not in ordered:
            if name not in schedules:
                raise InvalidInput(f"No recipe has a schedule for {name}. There are: {', '.join(sorted(schedules))}.")
            if name in ancestors:
                raise InvalidInput(f"{name} would begin with itself. Mend `after` in the schedules of the recipes.")
            ancestors.append(name)
            name = schedules[name].after
        ordered |= {each: schedules[each] for each in reversed(ancestors)}
    return ordered
