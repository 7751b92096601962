"""How files are to be styled, fixed once for all machines."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import Any

from livefilter import __version__
from livefilter.config import Config
from livefilter.inference.hardware import usable_cores
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
from livefilter.render.pictures import Transparency
from livefilter.render.results import Tracks
from livefilter.styles.catalogue import Catalogue

# What of the settings has a part in what comes out.
_KEPT = ("style", "network", "strength", "backend", "threads", "gpu", "cuda", "process_size")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the driver has decided, so that no machine decides anything itself.

    settings: those of `Config` that matter, with the backend, the network's size and the threads named.
    network_sha256: of the network's file, which every machine must have.
    encoder_threads: of the video encoder, on which the bytes of a file depend.
    """

    settings: dict[str, Any]
    network_sha256: str
    encoder_threads: int
    transparency: Transparency
    tracks: Tracks
    accept_damage: bool
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

    Raises: UnknownName, BackendUnavailable, StyleCorrupt.
    """
    backend, _reason = choose_backend(config.backend, without=BUILT_AHEAD if config.backend == "auto" else ())
    _style, network = Catalogue().choose(config.style, config.network, gpu=runs_on_gpu(backend))
    settings = {key: getattr(config, key) for key in _KEPT}
    settings |= {"backend": backend, "network": network.size, "threads": config.threads or default_threads()}
    return Recipe(settings, network.sha256, encoder_threads(), transparency, tracks, accept_damage)


def default_threads() -> int:
    """Cores of a worker where nobody says: half of a small machine, four of a large one."""
    return max(1, min(4, usable_cores() // 2))


def encoder_threads() -> int:
    """As many as the video encoder would take by itself here, so that one machine alone makes the same bytes."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
