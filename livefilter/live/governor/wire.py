"""Puts a ladder under a loaded style, and a governor over a run."""

from __future__ import annotations

from collections.abc import Callable

from livefilter.config import Config
from livefilter.control.settings import SharedSettings
from livefilter.inference.base import EngineOptions
from livefilter.inference.geometry import fit
from livefilter.inference.selection import runs_on_gpu
from livefilter.inference.styler import AUTO_SIZES, Styler
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.meters import MachineMeter
from livefilter.live.governor.nvml import open_nvml
from livefilter.live.governor.rung import Rung, ladder
from livefilter.metrics import Metrics
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network


def open_governor(config: Config, settings: SharedSettings, metrics: Metrics, fps: float, backend: str) -> Governor:
    """A governor for a run at `fps` on a backend, not yet started."""
    gpu = open_nvml(config.gpu) if runs_on_gpu(backend) else None
    fixed = config.process_size != "auto"
    return Governor(metrics, settings, MachineMeter(gpu), fps, share=config.gaming_share, fixed=fixed)


def on_ladder(
    config: Config,
    style: str,
    styler: Styler,
    frame_size: tuple[int, int],
    on_use: Callable[[LadderStyler], None],
) -> LadderStyler:
    """Put a warm styler of a style onto the ladder of all that may take its place on the same backend.

    frame_size: width and height in pixels.
    """
    backend = styler.engine_info.backend
    networks = _networks(config, style, styler.network_size, gpu=runs_on_gpu(backend))
    now = networks[styler.network_size]
    sizes = [styler.working_size]
    if config.process_size == "auto" and now.accepts.size is None:
        short = min(frame_size)
        sizes += [size for size in AUTO_SIZES if size < short] + [min(short, AUTO_SIZES[-1])]
    options = EngineOptions(config.threads, config.gpu, config.cuda, config.nv12)

    def rung(network: Network, size: int) -> Rung:
        chosen = fit(*frame_size, None if network.accepts.size is not None else size, network.accepts)
        return Rung(network.size, size, (network.macs_per_pixel or 1.0) * chosen.pixels)

    first = rung(now, styler.working_size)
    if now.accepts.size is not None or config.process_size != "auto":
        rungs: tuple[Rung, ...] = (first,)
    else:
        rungs = ladder(rung(network, size) for network in networks.values() for size in sorted(set(sizes)))
    if first not in rungs:
        rungs = tuple(sorted((*(each for each in rungs if each.cost != first.cost), first), key=lambda each: each.cost))

    def open_rung(wanted: Rung) -> Styler:
        network = networks[wanted.network]
        network.verify()
        return Styler(network, backend, wanted.size, options)

    return LadderStyler(rungs, (rungs.index(first), styler), open_rung, on_use)


def _networks(config: Config, style: str, now: str, *, gpu: bool) -> dict[str, Network]:
    """The networks between which the governor may choose: the one that runs, and its brother where none was named."""
    known = Catalogue().get(style).networks
    both = config.network == "auto" and config.process_size == "auto" and (gpu or config.prefer == "looks")
    return dict(known) if both else {now: known[now]}
