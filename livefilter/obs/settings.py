"""The settings [obs] and [obs.scenes]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from livefilter.errors import ConfigError, nearest
from livefilter.masking import mask_address
from livefilter.text import shown

DEFAULT_ADDRESS = "ws://127.0.0.1:4455"
Way = Literal["camera", "browser", "media"]
_ADDRESS = re.compile(r"wss?://(\[[0-9a-fA-F:.]+\]|[^\s/:@?#\[\]]+)(:\d{1,5})?/?")
_WORDS = {
    "on": "true or false",
    "address": f"an address such as {DEFAULT_ADDRESS}, without a password in it",
    "password": "a text in quotes",
    "microphone": "auto, off, or the name of an input in OBS",
    "way": "auto, camera, browser or media",
    "path_ms": "auto or a number from 0 to 5000",
    "add_source": "true or false",
    "never_raw": "true or false",
    "scenes": 'a table: write [obs.scenes] and lines such as "Be right back" = "freeze"',
}


class ObsSettings(BaseModel):
    """How livefilter lives with OBS Studio.

    on: whether it connects. address: of OBS's WebSocket server. password: of that server; "" where it asks for none.
    microphone: the input whose sound is kept in time: its name in OBS, "auto" for the only one, or "off".
    way: how OBS gets our picture. path_ms: what that adds to the delay; "auto" takes what `livefilter obs calibrate`
        found.
    add_source: put our picture into the current scene when it is nowhere in OBS.
    never_raw: while OBS streams or records, no bypass, no split screen, no raw person or room, no strength under 30 %.
    scenes: scene name -> what to do when OBS shows it; see livefilter.obs.scenes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = False
    address: str = DEFAULT_ADDRESS
    password: SecretStr = SecretStr("")
    microphone: str = "auto"
    way: Literal["auto"] | Way = "auto"
    path_ms: Literal["auto"] | float = Field("auto", union_mode="left_to_right")
    add_source: bool = False
    never_raw: bool = False
    scenes: dict[str, str | tuple[str, ...]] = {}

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        if not _ADDRESS.fullmatch(address):
            raise ValueError("no address")
        return address.rstrip("/")

    @field_validator("path_ms")
    @classmethod
    def _in_bounds(cls, value: str | float) -> str | float:
        if isinstance(value, float) and not 0 <= value <= 5000:
            raise ValueError("out of bounds")
        return value


def obs_table(value: Any, where: str) -> dict[str, Any]:
    """What `--obs`, LIVEFILTER_OBS, or obs in a settings file stands for, as a table of settings.

    value: a table, true or false, "on", "off", or an address, which also switches it on.
    Raises: ConfigError: it is none of these.
    """
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bool):
        return {"on": value}
    word = str(value).strip()
    if word.lower() in ("on", "off", "true", "false", "1", "0"):
        return {"on": word.lower() in ("on", "true", "1")}
    if not isinstance(value, str) or not _ADDRESS.fullmatch(word):
        raise ConfigError(f"Setting obs = {_hidden(value)} in {where} must be on, off, or {_WORDS['address']}.")
    return {"on": True, "address": word}


def read_obs(values: Mapping[str, Any], origins: Mapping[str, str]) -> ObsSettings:
    """The settings of a merged table; origins: where each comes from.

    Raises: ConfigError: names the setting, where it stands and what it may be.
    """
    for key in values:
        if key not in ObsSettings.model_fields:
            near = nearest(key, ObsSettings.model_fields)
            meant = f" Did you mean {near!r}?" if near else f" Known: {', '.join(ObsSettings.model_fields)}."
            raise ConfigError(f"Unknown setting {key!r} below [obs] in {origins.get(key, 'the settings')}.{meant}")
    try:
        return ObsSettings.model_validate(dict(values))
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        told = "***" if key == "password" else _hidden(values.get(key))
        place = f"Setting {key} = {told} below [obs] in {origins.get(key, 'the settings')}"
        raise ConfigError(f"{place} must be {_WORDS[key]}.") from None


def _hidden(value: Any) -> str:
    return shown(mask_address(value)) if isinstance(value, str) else shown(value)
