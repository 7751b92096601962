"""Puts a ladder under a loaded style, and a governor over a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from livefilter.config import Config
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.inference.base import EngineOptions, Sharing
from livefilter.inference.crisp import LIVE_LINES
from livefilter.inference.geometry import fit_network
from livefilter.inference.selection import runs_on_gpu
from livefilter.inference.styler import Styler
from livefilter.live.governor.full_screen import FullScreenWatch
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.meters import MachineMeter
from livefilter.live.governor.nvml import open_nvml
from livefilter.live.governor.rung import Rung, ladder
from livefilter.metrics import Metrics
from livefilter.styles.network import Network

# Smaller than what a start would ever choose: a soft picture in time, for the minutes in which nothing else helps.
_LEAST_SIZE = 192


def open_governor(config: Config, settings: SharedSettings, metrics: Metrics, fps: float, backend: str) -> Governor:
    """A governor for a run at `fps` on a backend, not yet started."""
    gpu = open_nvml(config.gpu) if runs_on_gpu(backend) else None
    games = FullScreenWatch() if config.gaming_fullscreen else lambda: False
    return Governor(metrics, settings, MachineMeter(gpu), fps, share=config.gaming_share, game_runs=games)


def on_ladder(
    config: Config,
    wanted: LiveSettings,
    known: Mapping[str, Network],
    styler: Styler,
    frame_size: tuple[int, int],
    on_use: Callable[[LadderStyler], None],
    *,
    shared: bool | Sharing = False,
    people: bool = False,
) -> LadderStyler:
    """Put a warm styler of a style onto the ladder of all that may take its place on the same backend.

    wanted: a size or network that it names stays. known: the style's networks by size. frame_size: in pixels.
    shared, people: as of EngineOptions.
    """
    backend = styler.engine_info.backend
    networks = _networks(wanted, known, styler.network_size, gpu=runs_on_gpu(backend))
    now = networks[styler.network_size]
    sizes = [styler.working_size]
    if not wanted.process_size and now.accepts.size is None:
        short = min(frame_size)
        sizes += [min(short, _LEAST_SIZE), *styler.auto_sizes(short)]
    options = EngineOptions(
        config.threads, config.gpu, config.cuda, config.nv12, shared=shared, precision=config.precision, people=people
    )

    def rung_of(network: Network, size: int) -> Rung:
        chosen = fit_network(*frame_size, None if network.accepts.size is not None else size, network.accepts)
        return Rung(network.size, size, (network.macs_per_pixel or 1.0) * chosen.pixels)

    first = rung_of(now, styler.working_size)
    if now.accepts.size is not None or wanted.process_size:
        rungs: tuple[Rung, ...] = (first,)
    else:
        rungs = ladder(rung_of(network, size) for network in networks.values() for size in sorted(set(sizes)))
    if first not in rungs:
        rungs = tuple(sorted((*(each for each in rungs if each.cost != first.cost), first), key=lambda each: each.cost))

    def open_rung(rung: Rung) -> Styler:
        network = networks[rung.network]
        network.verify()
        most = None if wanted.process_size else LIVE_LINES
        return Styler(network, backend, rung.size, options, most=most, steady=config.steady, low_light=config.low_light)

    return LadderStyler(rungs, (rungs.index(first), styler), open_rung, on_use)


def _networks(wanted: LiveSettings, known: Mapping[str, Network], now: str, *, gpu: bool) -> dict[str, Network]:
    """The networks between which the governor may choose: the one that runs, and its brother where none was named; on
    processors unless speed or coolness counts more."""
    both = wanted.network == "auto" and not wanted.process_size and (gpu or wanted.prefer in ("auto", "looks"))
    return dict(known) if both else {now: known[now]}
