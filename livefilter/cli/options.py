"""Command-line options made from Config, so that flags, file and environment have the same names and bounds."""

from __future__ import annotations

import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from livefilter.config import Config, load_config
from livefilter.obs.settings import ObsSettings

Command = TypeVar("Command", bound=Callable[..., Any])

_SHORT = {"input": "-i", "output": "-o", "style": "-s"}


def config_options(*names: str) -> Callable[[Command], Command]:
    """Add one flag per named setting, and --config and --profile; read them with `config_from`."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(name)(command)
        command = click.option("--profile", metavar="NAME", help="Profile of the settings file to lay over it.")(
            command
        )
        return click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Settings file (TOML) instead of the user's own.",
        )(command)

    return decorate


def config_from(config: Path | None, profile: str | None, flags: dict[str, Any]) -> Config:
    """Merge the flags that were given with file, profile and environment.

    Raises: ConfigError.
    """
    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    return load_config(given, config, profile)


def _option(name: str) -> Callable[[Command], Command]:
    field = Config.model_fields[name]
    flag = "--" + name.replace("_", "-")
    flags = [_SHORT[name], flag] if name in _SHORT else [flag]
    text = f"{field.description}  [default: {_shown(field.default)}]"
    if field.annotation is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text)
    if name == "obs":  # `--obs` alone switches it on
        return click.option(flag, name, type=str, is_flag=False, flag_value="on", help=text, metavar="[ADDRESS|off]")
    many = typing.get_origin(field.annotation) is tuple
    # Values stay text here: Config checks types and bounds, in the same words for every origin.
    return click.option(*flags, name, type=str, multiple=many, help=text, metavar=name.split("_")[-1].upper())


def _shown(default: Any) -> str:
    if isinstance(default, ObsSettings):
        return "off"
    if isinstance(default, bool):
        return "on" if default else "off"
    return (", ".join(default) or "none") if isinstance(default, tuple) else str(default)
