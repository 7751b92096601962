"""How files are to be styled, fixed once for all machines."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from livefilter import __version__
from livefilter.cluster.look import file_sha256
from livefilter.config import Config
from livefilter.control.parts import PICTURE, ROOMS, TRANSPARENT
from livefilter.errors import InvalidInput
from livefilter.inference.base import EngineOptions
from livefilter.inference.hardware import usable_cores
from livefilter.inference.precision import decided, form_of
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.registry import ENGINES
from livefilter.render.pictures import Transparency
from livefilter.render.results import Tracks
from livefilter.render.writing import reason
from livefilter.styles.catalogue import Catalogue

# What of the settings has a part in what comes out.
_KEPT = (
    "style", "network", "strength", "person", "room", "backend", "threads", "gpu", "cuda", "precision", "low_light",
    "process_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the driver has decided, so that no machine decides anything itself.

    settings: those of `Config` that matter, with the backend, the network's size and the threads named.
    files: SHA-256 of what every machine must have: the networks by the names of their styles, and the picture of a
        room by its path.
    finds: the backend that finds people; empty where nobody looks for them.
    cuts_out: the room is transparent.
    encoder_threads: of the video encoder, on which the bytes of a file depend.
    """

    settings: dict[str, Any]
    files: dict[str, str]
    encoder_threads: int
    transparency: Transparency
    tracks: Tracks
    accept_damage: bool
    finds: str = ""
    cuts_out: bool = False
    version: str = __version__

    @property
    def config(self) -> Config:
        """The settings as a run takes them."""
        return Config.model_validate(self.settings)

    @property
    def on_gpu(self) -> bool:
        """Whether a worker takes a GPU, and not cores."""
        return runs_on_gpu(str(self.settings["backend"]))

    @property
    def threads(self) -> int:
        """Cores that a worker takes."""
        return int(self.settings["threads"])

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 of all that has a part in what comes out; the threads of inference have none."""
        told = self.as_dict()
        told["settings"] = {key: value for key, value in self.settings.items() if key not in ("threads", "gpu")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def fix_recipe(
    config: Config, *, transparency: Transparency = "auto", tracks: Tracks = "default", accept_damage: bool = False
) -> Recipe:
    """Decide what `auto` stands for, on the machine of whoever asks.

    Raises: UnknownName, BackendUnavailable, StyleCorrupt, ConfigError, InvalidInput, SourceUnavailable.
    """
    backend, _reason = choose_backend(config.backend, without=BUILT_AHEAD if config.backend == "auto" else ())
    settings = {key: getattr(config, key) for key in _KEPT}
    settings |= {"backend": backend, "threads": config.threads or default_threads()}
    settings["precision"] = decided(ENGINES.load(backend), config.precision)
    with ConfiguredStylist(Config.model_validate(settings)) as stylist:
        wanted = stylist.wanted
    if wanted.room == PICTURE:
        settings["room"] = str(Path(config.room).expanduser().absolute())
    names = [wanted.style, settings["room"] if wanted.room == PICTURE else wanted.room]
    finds = choose_backend("auto", without=BUILT_AHEAD)[0] if wanted.parted else ""
    return Recipe(
        settings,
        files_of(Config.model_validate(settings), [name for name in names if name not in ROOMS]),
        encoder_threads(),
        transparency,
        tracks,
        accept_damage,
        finds,
        wanted.room == TRANSPARENT,
    )


def files_of(config: Config, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of what is on this machine: the networks of styles, by their names, and pictures, by their paths.

    Raises: UnknownName, StyleCorrupt, InvalidInput: there is no such picture.
    """
    catalogue, gpu = Catalogue(), runs_on_gpu(config.backend)
    engine, options = ENGINES.load(config.backend), EngineOptions(precision=config.precision)
    found = {}
    for name in names:
        if not os.path.isabs(name):
            network = catalogue.choose(name, config.network, gpu=gpu)[1]
            found[name] = form_of(network, engine, options)[1].sha256
            continue
        try:
            found[name] = file_sha256(Path(name))
        except OSError as error:
            raise InvalidInput(
                f"The picture {name} cannot be read on {platform.node()}: {reason(error)}. Copy it to that path there."
            ) from error
    return found


def default_threads() -> int:
    """Cores of a worker where nobody says: half of a small machine, four of a large one."""
    return max(1, min(4, usable_cores() // 2))


def encoder_threads() -> int:
    """As many as the video encoder would take by itself here, so that one machine alone makes the same bytes."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
