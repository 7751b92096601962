"""The file that names the streams of a wall."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from livefilter.config import load_config
from livefilter.errors import ConfigError
from livefilter.inference.hardware import usable_cores
from livefilter.toml import tomllib

Share: TypeAlias = Literal["auto", "on", "off"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream: its name, all of its settings, and the machine of a cluster that it is bound to, if any.

    share: whether it may share its engine with streams like it, "auto" being on a GPU. gpu: the one that it names.
    """

    name: str
    settings: Mapping[str, Any]
    machine: str = ""
    share: Share = "auto"
    gpu: int | None = None

    def shares(self, *, on_gpu: bool) -> bool:
        """Whether it is to run in one process with others; a window needs one of its own, and gaming mode slows it."""
        alone = "window" in self.settings.get("output", ()) or bool(
            self.settings.get("gaming") or self.settings.get("gaming_fullscreen")
        )
        return not alone and (self.share == "on" or (self.share == "auto" and on_gpu))


def read_wall(path: Path, *, threads: int = 0, cluster: bool = False) -> list[StreamPlan]:
    """The streams of a wall's file: a table [streams.NAME] of settings each, over those of [defaults].

    threads: of a stream that names none; 0: its share of the cores of this machine. cluster: streams may name machines.
    Raises: ConfigError: the file cannot be read, or a stream says what no run takes.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"The wall's file {path} cannot be read: {error.strerror}. Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The wall's file {path} is not valid TOML: {error}. Texts stand in quotes.") from error
    unknown = set(told) - {"defaults", "streams"}
    if unknown:
        raise ConfigError(
            f"{path} has {sorted(unknown)[0]!r} at its top, where only [defaults] and [streams.NAME] are."
        )
    defaults, streams = told.get("defaults", {}), told.get("streams", {})
    if not streams or not all(isinstance(each, dict) for each in (defaults, streams, *streams.values())):
        raise ConfigError(f"{path} names no stream: write [streams.NAME] and, below it, input and output.")
    part = threads or max(1, usable_cores() // len(streams))
    plans = [_plan(name, {"threads": part} | defaults | stream, path, cluster) for name, stream in streams.items()]
    _refuse_shared(plans, path)
    return plans


def _plan(name: str, settings: dict[str, Any], path: Path, cluster: bool) -> StreamPlan:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"The stream {name!r} in {path} needs a name of letters, digits, dots and dashes.")
    for needed in ("input", "output"):
        if needed not in settings:
            raise ConfigError(f"The stream {name} in {path} has no {needed}: several cannot share what `auto` finds.")
    machine = settings.pop("machine", "")
    if not isinstance(machine, str) or (machine and not cluster):
        raise ConfigError(f"The stream {name} in {path} names a machine, in quotes, which needs --cluster.")
    share = settings.pop("share", "auto")
    if share not in get_args(Share):
        raise ConfigError(f"The stream {name} in {path} has share = {share!r}, which must be auto, on or off.")
    try:
        config = load_config(settings, environment={})
    except ConfigError as error:
        raise ConfigError(f"The stream {name} in {path}: {error}") from error
    return StreamPlan(name, config.model_dump(mode="json"), machine, share, config.gpu if "gpu" in settings else None)


def _refuse_shared(plans: list[StreamPlan], path: Path) -> None:
    """Two streams cannot send to one place."""
    taken: dict[str, str] = {}
    for plan in plans:
        for output in plan.settings["output"]:
            if output in taken and output != "null":
                raise ConfigError(
                    f"The streams {taken[output]} and {plan.name} in {path} both send to {output}: give each its own."
                )
            taken[output] = plan.name
