"""Every setting: its name, default, bounds and meaning, in one place for file, environment and flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from livefilter.errors import ConfigError
from livefilter.live.governor.promise import parse_promise
from livefilter.masking import mask_address
from livefilter.obs.settings import ObsSettings, obs_table, read_obs
from livefilter.settings_file import environment_layer, file_layers, named_config_path, unknown
from livefilter.text import shown
from livefilter.user_folders import videos_folder


class Config(BaseModel):
    """The settings of a run. Sizes are pixels, rates frames per second, durations seconds unless named otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str = Field(
        "auto",
        description="Where frames come from: auto, demo, a camera (0, /dev/video0 or part of its name), a video or "
        "image file, a URL (rtsp, rtmp, srt, http, udp), or screen[:N|:X,Y,WxH].",
    )
    output: tuple[str, ...] = Field(
        ("auto",),
        description="Where frames go, several at once: auto (virtual camera if present, and the live page), "
        "camera[:DEVICE], pipewire[:NAME], window, page[:PORT], FILE.mp4, a URL (rtmp, srt, udp), null.",
    )
    style: str = Field("hayao", description="Name of the style to start with; see `livefilter styles`.")
    network: Literal["auto", "lite", "full"] = Field(
        "auto",
        description="Size of the style's network: lite, full, or auto for the style's best; else full on a GPU, and "
        "live on a processor what it has time for.",
    )
    strength: float = Field(
        1.0,
        ge=0,
        le=1.5,
        description="How strong the drawing is: 0 the original, 1 as meant, up to 1.5 where the style can.",
    )
    person: str = Field(
        "style",
        description="What a person is: style, raw (as the camera sees them), or a style of their own.",
    )
    room: str = Field(
        "style",
        description="What is around a person: style, raw, blur, transparent, a style of its own, or a picture or clip.",
    )
    backend: str = Field("auto", description="Inference backend: auto or a name from `livefilter doctor`.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads for inference; 0 lets the runtime choose.")
    precision: Literal["auto", "int8", "float"] = Field(
        "auto",
        description="Of a network on the processor: int8 (twice as fast), float, or auto for int8 where it is as good.",
    )
    gpu: int = Field(0, ge=0, le=63, description="Number of the NVIDIA GPU for TensorRT and PyTorch.")
    cuda: Literal["bindings", "pycuda"] = Field(
        "bindings",
        description="How TensorRT backends reach CUDA: bindings (cuda-bindings), or pycuda with the graphs of "
        "cuda-bindings, which it needs beside it.",
    )
    process_size: Literal["auto"] | int = Field(
        "auto",
        union_mode="left_to_right",
        description="Shorter side, in pixels, at which frames are styled: 64 to 2160, or auto for the largest that "
        "this machine can keep up with; where edges are crisp at the frame's size, at most 360 live "
        "and, on a processor, 480 in files, which is where lines are boldest (a GPU's own engines take the nearest "
        "whole part of the frame). Frames always come out at the size they went in.",
    )
    hold: tuple[str, ...] = Field(
        (),
        description="What to hold by changing the processing size: a rate of styled frames and their age, such as "
        "30fps and 60ms; without, the output's rate, which yields down to 15fps before 240 lines do, and 100ms. "
        "A process-size that is a number stays as it is.",
    )
    prefer: Literal["auto", "looks", "speed", "cool"] = Field(
        "auto",
        description="What counts besides: looks (larger pictures, less in reserve), speed (more in reserve, the whole "
        "rate), cool (at most a quarter of the machine), or auto for cool on battery.",
    )
    gaming: bool = Field(
        False,
        description="Gaming mode: take at most gaming-share of the CPU or GPU, at low priority; size and rate yield.",
    )
    gaming_share: float = Field(0.15, ge=0.02, le=1, description="Share of the CPU or GPU in gaming mode, 0 to 1.")
    gaming_fullscreen: bool = Field(
        False, description="Gaming mode while another program fills the screen (Windows, and X11 with hotkeys' extra)."
    )
    width: int = Field(1280, ge=0, le=7680, description="Width to ask of a camera; 0 takes what it gives.")
    height: int = Field(720, ge=0, le=4320, description="Height to ask of a camera; 0 takes what it gives.")
    fps: float = Field(0.0, ge=0, le=240, description="Output rate, and the rate to ask of a camera; 0: the input's.")
    open_timeout: float = Field(
        5.0, ge=0.5, le=120, description="Seconds that a network stream has for its first picture."
    )
    loop: bool = Field(False, description="Play a video file again at its end.")
    compare: bool = Field(False, description="Split screen: original on the left, styled on the right.")
    mirror: bool = Field(False, description="Mirror the preview window.")
    mirror_output: bool = Field(False, description="Mirror what viewers see.")
    nv12: bool = Field(
        False,
        description="Let the GPU make NV12, which virtual cameras take as it is; the only output is then a camera.",
    )
    steady: bool = Field(
        True,
        description="Keep the drawing (not on GPUs) and masks of people still where the picture is, so that nothing "
        "flickers.",
    )
    low_light: bool = Field(
        True,
        description="Draw dark frames, and who is dark before a window, from a lighter copy, with lines and eyes "
        "(not where a GPU composes).",
    )
    fade_ms: int = Field(250, ge=0, le=5000, description="Cross-fade when the style changes, in milliseconds.")
    hold_s: float = Field(2.0, ge=0.1, le=60, description="Seconds without a new frame before the holding card.")
    strict_outputs: bool = Field(
        False, description="End the run when an output fails, instead of trying it again or going on without it."
    )
    idle: bool = Field(
        True,
        description="Release the camera while nobody watches the virtual camera or page (where the system tells).",
    )
    hotkeys: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Global hotkeys: on, off, or auto for on where the desktop and the installed packages allow.",
    )
    hotkey: tuple[str, ...] = Field(
        (),
        description="Change a global hotkey: ACTION=CHORD, such as next_style=ctrl+alt+n, or ACTION=none; several at "
        "once. `livefilter hotkeys` lists them.",
    )
    midi: str = Field("off", description="MIDI device for pads: part of its name, auto for the first one, or off.")
    midi_pad: tuple[str, ...] = Field(
        (), description="Change a MIDI pad: ACTION=note:N or ACTION=cc:N, with @CHANNEL if need be; several at once."
    )
    osc: str = Field("off", description="Listen to OSC messages: on for port 8421, a port, HOST:PORT, or off.")
    lan: bool = Field(
        False, description="Let others on the local network open the pages, with the token that is printed."
    )
    obs: ObsSettings = Field(
        ObsSettings(),
        description="Connect to OBS Studio: its sound in time with the picture, looks by scene (docs/obs.md). On, off, "
        "or the address of OBS's WebSocket server.",
    )
    recordings: Path = Field(videos_folder() / "livefilter", description="Folder for recordings and snapshots.")

    @field_validator("recordings")
    @classmethod
    def _expand_home(cls, folder: Path) -> Path:
        # A settings file or --recordings=~/clips reaches us as written; no shell has put the home folder in.
        return Path(os.path.expanduser(folder))

    def model_post_init(self, context: Any, /) -> None:
        """Check what a type cannot say."""
        if self.process_size != "auto" and not 64 <= self.process_size <= 2160:
            where = (context or {}).get("process_size")
            raise ConfigError(
                f"Setting process_size = {self.process_size}{f' in {where}' if where else ''} must be "
                f"{_allowed('process_size')}."
            )
        parse_promise(self.hold)
        if bool(self.width) != bool(self.height):
            raise ConfigError("Settings width and height go together: give both, or 0 for both.")


def load_config(
    flags: Mapping[str, Any],
    path: Path | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """Merge file, profile, environment and flags, in rising order of precedence.

    flags: only what was given on the command line. path: the TOML file; None reads the default one if it exists.
    profile: a table [profiles.NAME] of the file, laid over its top level.
    Raises: ConfigError: names the setting, where it stands and what is allowed, or the nearest valid name.
    """
    profile = profile or environment.get("LIVEFILTER_PROFILE") or None
    layers = [
        *file_layers(path or named_config_path(environment), profile),
        ("the environment", environment_layer(environment, Config.model_fields)),
        ("the flags", flags),
    ]
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    obs: dict[str, Any] = {}
    obs_origin: dict[str, str] = {}
    for where, values in layers:
        for key, value in values.items():
            if key not in Config.model_fields:
                raise ConfigError(unknown("setting", key, where, Config.model_fields))
            if key == "obs":  # a table, of which each layer may say a part
                table = obs_table(value, where)
                obs |= table
                obs_origin |= dict.fromkeys(table, where)
            else:
                merged[key], origin[key] = value, where
    if obs:
        merged["obs"] = read_obs(obs, obs_origin)
    for key, value in merged.items():
        if isinstance(value, str) and get_origin(Config.model_fields[key].annotation) is tuple:
            merged[key] = [part.strip() for part in value.split(",")]
    try:
        return Config.model_validate(merged, context=origin)
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        wrong = f"Setting {key} = {_masked(merged.get(key))} in {origin.get(key, 'defaults')}"
        raise ConfigError(f"{wrong} must be {_allowed(key)}.{_share_meant(key, merged.get(key))}") from error


def _masked(value: Any) -> str:
    """A value as the user wrote it, without the keys of streams in it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_masked, value))}]"
    return shown(mask_address(value)) if isinstance(value, str) else shown(value)


def _allowed(key: str) -> str:
    """What a setting may be, in words that fit after "must be"."""
    if key == "process_size":
        return "auto or a number from 64 to 2160"
    field = Config.model_fields[key]
    if field.annotation is bool:
        return "true or false"
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if bounds:
        whole = "a whole number" if field.annotation is int else "a number"
        return f"{whole} from {bounds['ge']} to {bounds['le']}"
    return "a list of texts" if get_origin(field.annotation) is tuple else "a text"


def _share_meant(key: str, value: Any) -> str:
    """A hint for those who gave a percentage where a share is wanted."""
    if key not in ("strength", "gaming_share"):
        return ""
    try:
        percent = float(str(value).strip().removesuffix("%"))
    except ValueError:
        return ""
    # 2 may be meant as twice as strong; 80 is a percentage.
    least = 0 if str(value).endswith("%") else 9 if key == "strength" else 1
    most = 150 if key == "strength" else 100
    return f" Did you mean {percent / 100:g}?" if least < percent <= most else ""
