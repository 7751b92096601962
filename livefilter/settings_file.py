"""Where settings stand before they are merged: the user's file, its profiles, the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from livefilter.errors import ConfigError, nearest
from livefilter.obs.settings import obs_table
from livefilter.toml import tomllib
from livefilter.user_folders import config_folder

ENVIRONMENT_PREFIX = "LIVEFILTER_"
_NOT_SETTINGS = {"CONFIG", "PROFILE"}


def default_config_path() -> Path:
    """Where the user's settings file lies: config.toml in the system's configuration folder."""
    return config_folder() / "config.toml"


def named_config_path(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that LIVEFILTER_CONFIG names; set but empty is not set, as everywhere in a shell."""
    named = environment.get("LIVEFILTER_CONFIG")
    return Path(named) if named else None


def profile_tables(path: Path | None = None) -> dict[str, dict[str, Any]]:
    """The profiles of a settings file, by default the user's own, as they are written there; none without a file.

    Raises: ConfigError.
    """
    chosen = path or named_config_path() or default_config_path()
    return _profiles(_read(chosen), chosen) if chosen.exists() else {}


def file_layers(path: Path | None, profile: str | None) -> list[tuple[str, Mapping[str, Any]]]:
    """What a settings file says, and what a profile of it lays over that, each with the place where it stands.

    Raises: ConfigError.
    """
    chosen = path or default_config_path()
    if path is None and not chosen.exists():
        if profile:
            raise ConfigError(f"Profile {profile!r} needs a settings file, and {chosen} does not exist.")
        return []
    content = _read(chosen)
    profiles = _profiles(content, chosen)
    content.pop("profiles", None)
    layers: list[tuple[str, Mapping[str, Any]]] = [(str(chosen), content)]
    if profile is not None:
        if profile not in profiles:
            raise ConfigError(unknown("profile", profile, str(chosen), profiles))
        layers.append((f"profile {profile} of {chosen}", profiles[profile]))
    return layers


def environment_layer(environment: Mapping[str, str], known: Iterable[str]) -> dict[str, Any]:
    """What the environment says of the settings that are `known`.

    Raises: ConfigError: a variable is nearly one of ours.
    """
    known = list(known)
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or name in _NOT_SETTINGS:
            continue
        key = name.lower()
        if key == "obs_password":
            values["obs"] = {**values.get("obs", {}), "password": text}
        elif key == "obs":
            values["obs"] = {**obs_table(text, "the environment"), **values.get("obs", {})}
        elif key in known:
            values[key] = text
        elif meant := nearest(key, known):
            raise ConfigError(f"Unknown environment variable {variable}. Did you mean LIVEFILTER_{meant.upper()}?")
    return values


def unknown(kind: str, name: str, where: str, known: Iterable[str]) -> str:
    """The words for a name that is not known, with the nearest one or all that are."""
    if kind == "setting" and name in ("profile", "profiles"):
        return (
            f"Unknown setting {name!r} in {where}: a profile is a table [profiles.NAME] of the settings file, and "
            "--profile NAME chooses it."
        )
    meant = nearest(name, known)
    hint = f" Did you mean {meant!r}?" if meant else f" Known: {', '.join(known) or 'none'}."
    return f"Unknown {kind} {name!r} in {where}.{hint}"


def _profiles(content: Mapping[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict):
        raise ConfigError(f"profiles in {path} must be tables: write [profiles.NAME] and the settings below it.")
    for name, profile in profiles.items():
        if not isinstance(profile, dict):
            raise ConfigError(f"Profile {name} in {path} must be a table: write [profiles.{name}] and lines below.")
    return profiles


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors write a byte order mark
    except OSError as error:
        raise ConfigError(f"Settings file {path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"Settings file {path} is not in UTF-8: save it again with that encoding.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"Settings file {path} is not valid TOML: {error}. Texts stand in quotes.") from error
