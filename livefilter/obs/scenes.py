"""What happens when OBS shows another scene."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livefilter.control.actions import find_action
from livefilter.control.controller import TIMED_FIELDS
from livefilter.control.settings import SharedSettings
from livefilter.errors import ConfigError, LivefilterError, nearest

# Settings of a profile -> the action that makes the same change while livefilter runs, and its parameter.
_OF_PROFILE = {
    "style": ("style", "name"), "strength": ("strength", "value"), "compare": ("compare", "on"),
    "mirror": ("mirror", "on"), "mirror_output": ("mirror_output", "on"), "network": ("network", "size"),
    "process_size": ("process_size", "pixels"), "prefer": ("prefer", "what"), "gaming": ("gaming", "on"),
    "input": ("input", "target"),
}  # fmt: skip
# A scene is entered again and again: what steps, or ends the run, is none of a rule's.
_NO_RULE = {"next_style", "previous_style", "weaker", "stronger", "help", "quit"}


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its values."""

    action: str
    values: tuple[tuple[str, Any], ...] = ()


def parse_rules(
    scenes: Mapping[str, str | Sequence[str]], profiles: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, tuple[Step, ...]], list[str]]:
    """The steps of each scene, and what of the profiles cannot change while livefilter runs.

    scenes: name -> "ACTION", "ACTION VALUE" or "profile NAME", or several. Without a value a switch is switched on.
    Raises: ConfigError, UnknownName, InvalidInput: a wrong one, with its scene.
    """
    rules: dict[str, tuple[Step, ...]] = {}
    notices: list[str] = []
    for scene, rule in scenes.items():
        steps: list[Step] = []
        for text in [rule] if isinstance(rule, str) else rule:
            try:
                steps += _steps(text, profiles, notices)
            except LivefilterError as error:
                raise ConfigError(f"[obs.scenes] {scene!r} = {text!r}: {error}") from error
        rules[scene] = tuple(steps)
    return rules, notices


def _steps(text: str, profiles: Mapping[str, Mapping[str, Any]], notices: list[str]) -> list[Step]:
    name, _, value = text.strip().partition(" ")
    if name == "profile":
        return _profile_steps(value.strip(), profiles, notices)
    action = find_action(name)
    if name in _NO_RULE:
        raise ConfigError(f"{name} is no rule for a scene, which may be shown many times. Name what it shall be.")
    values: dict[str, Any] = {}
    if value.strip():
        if not action.parameters:
            raise ConfigError(f"{name} takes no value. Write {name!r} alone.")
        values[action.parameters[0].name] = value.strip()
    elif action.parameters and action.parameters[0].kind == "boolean":
        values[action.parameters[0].name] = True
    return [Step(name, tuple(action.parse(values).items()))]


def _profile_steps(name: str, profiles: Mapping[str, Mapping[str, Any]], notices: list[str]) -> list[Step]:
    if name not in profiles:
        near = nearest(name, profiles)
        meant = f" Did you mean {near!r}?" if near else f" Known: {', '.join(profiles) or 'none'}."
        raise ConfigError(f"Unknown profile {name!r}.{meant}")
    steps = []
    for key, value in profiles[name].items():
        if key not in _OF_PROFILE:
            notices.append(f"Profile {name}: {key} cannot change while livefilter runs, so a scene leaves it as it is")
            continue
        action, parameter = _OF_PROFILE[key]
        wanted = 0 if (key, value) == ("process_size", "auto") else value
        steps.append(Step(action, tuple(find_action(action).parse({parameter: wanted}).items())))
    return steps


class SceneRules:
    """Follows OBS's scenes by the rules; what a person changes by hand wins until the next scene.

    perform: carries out an action, as Controller.perform does. notify: tells the person in control.
    """

    def __init__(
        self,
        rules: Mapping[str, Sequence[Step]],
        settings: SharedSettings,
        perform: Callable[..., None],
        notify: Callable[[str], object],
    ) -> None:
        self._rules, self._settings, self._perform, self._notify = rules, settings, perform, notify
        self._scene: str | None = None
        self._changed: dict[str, tuple[Any, Any]] = {}
        self._warned: set[str] = set()

    def check(self, known: Iterable[str]) -> None:
        """Warn once of each rule whose scene OBS does not have, with the nearest name."""
        there = list(known)
        for scene in self._rules:
            if scene not in there and scene not in self._warned:
                self._warned.add(scene)
                lower = {each.lower(): each for each in there}
                near = lower.get(nearest(scene, lower) or "")
                meant = f" Did you mean {near!r}?" if near else f" It has {', '.join(map(repr, there)) or 'none'}."
                self._notify(f"OBS has no scene {scene!r}, which [obs.scenes] names.{meant}")

    def show(self, scene: str) -> None:
        """OBS shows this scene: undo what the last one's rule changed, and do what this one's says."""
        if scene == self._scene:
            return
        self._scene = scene
        steps = self._rules.get(scene, ())
        self._give_back({TIMED_FIELDS[step.action] for step in steps if step.action in TIMED_FIELDS})
        for step in steps:
            field = TIMED_FIELDS.get(step.action)
            before = getattr(self._settings.current, field) if field else None
            try:
                self._perform(step.action, **dict(step.values))
            except LivefilterError as error:
                self._notify(f"Scene {scene}: {error}")
                continue
            if field:
                first = self._changed.get(field, (before, None))[0]
                self._changed[field] = (first, getattr(self._settings.current, field))

    def _give_back(self, kept: set[str]) -> None:
        """Undo the last rule, but for what somebody has changed since, and what the next rule changes itself."""
        for field, (before, given) in list(self._changed.items()):
            manual = getattr(self._settings.current, field) != given
            if field in kept and not manual:
                continue
            del self._changed[field]
            current = self._settings.current
            uncovers = replace(current, **{field: before}).raw and not current.raw  # that only a person may do
            if not manual and before != given and not uncovers:
                self._settings.change(**{field: before})
