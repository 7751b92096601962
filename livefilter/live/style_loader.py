"""Opens styles for a live run: with the best backend that is ready, or with an engine that is built meanwhile."""

from __future__ import annotations

from livefilter.config import Config
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.inference.base import EngineOptions, Sharing
from livefilter.inference.crisp import LIVE_LINES, most_lines
from livefilter.inference.geometry import fit_network
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
from livefilter.inference.smaller import most_by_engine
from livefilter.inference.styler import LIVE_SHARE, Styler
from livefilter.live.engine_upgrade import EngineUpgrade
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.wire import on_ladder
from livefilter.live.mask_source import asks_style
from livefilter.live.open_styler import open_styler
from livefilter.live.person_crop import Part
from livefilter.live.person_network import alongside, open_person_network
from livefilter.live.settled_size import ProcessSize, SettledSize
from livefilter.live.stylist import LiveStylist
from livefilter.registry import ENGINES
from livefilter.styles.accepts import Accepts
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network


class StyleLoader:
    """Loads styles by name, warm, for frames of one size, by the settings of the moment at which it is called.

    backend, reason: what is to run, and why. size: (width, height) of the frames in pixels.
    shared: as of EngineOptions.
    Raises: UnknownName, BackendUnavailable.
    """

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue,
        settings: SharedSettings,
        governor: Governor,
        size: tuple[int, int],
        fps: float,
        *,
        shared: bool | Sharing = False,
    ) -> None:
        self.backend, self.reason = choose_backend(config.backend)
        built_ahead = self.backend in BUILT_AHEAD
        self._ready = choose_backend("auto", without=BUILT_AHEAD)[0] if built_ahead else self.backend
        self._config, self._catalogue, self._settings, self._governor = config, catalogue, settings, governor
        self._size, self._budget_ms, self._shared = size, LIVE_SHARE * 1000.0 / fps, shared
        self._sizes = SettledSize("auto")
        self._upgrade: EngineUpgrade | None = None
        if built_ahead:
            from livefilter.live.upgrade_wiring import engine_upgrade

            self._upgrade = engine_upgrade(
                config, catalogue, self.backend, self._ready, self._open_ready, *size, self._notify, shared
            )

    def load(self, style: str) -> LadderStyler:
        """A warm style, at a size that fits what draws now, with the ladder that the governor may choose from.

        Raises: LivefilterError.
        """
        drawing = self._governor.styler
        if drawing is not None and len(drawing.rungs) > 1:
            self._sizes.follow(drawing.rung, self._size)
        wanted = self._settings.current
        styler = self._upgrade.open(style) if self._upgrade is not None else self._open_ready(style)
        networks = self._catalogue.get(style).networks
        follow, people = self._governor.follow, asks_style(wanted, self._ready)
        return on_ladder(self._config, wanted, networks, styler, self._size, follow, shared=self._shared, people=people)

    def load_room(self, style: str) -> Styler:
        """Another style to run beside the one on screen, at the size of that one; the governor leaves it as it is.

        Raises: LivefilterError.
        """
        size = self._beside_size()
        at = self._config.model_copy(update={"backend": self._ready, "process_size": size})
        settled = not self._settings.current.process_size
        return open_styler(
            at, self._catalogue, style, *self._size, shared=self._shared, steady=at.steady, settled=settled
        )

    def load_part(self, part: Part) -> PartStyler:
        """A part of the frames in a style, for a processor; the governor leaves it as it is.

        Raises: LivefilterError.
        """
        network, config = self._catalogue.get(part.style).networks[part.network], self._config
        network.verify()
        whole = fit_network(*part.frame, part.size, network.accepts)
        options = EngineOptions(
            config.threads, config.gpu, config.cuda, shared=self._shared, precision=config.precision, people=False
        )
        return PartStyler(
            network,
            self._ready,
            whole,
            part.width,
            part.height,
            options,
            steady=config.steady,
            low_light=config.low_light,
        )

    def accepts(self, style: str, network: str) -> Accepts:
        """The sizes of frames that a network of a style takes."""
        return self._catalogue.get(style).networks[network].accepts

    def load_finder(self, _name: str) -> Styler:
        """What finds people where the style's network does not tell.

        Raises: LivefilterError.
        """
        options = EngineOptions(gpu=self._config.gpu, cuda=self._config.cuda)
        return open_person_network(self._ready, alongside(options), *self._size)

    def start(self, stylist: LiveStylist) -> None:
        """Let the stylist change over to engines that are built beside it, to a network or size that is chosen, and to
        one that says where people are while somebody asks.
        """
        if self._upgrade is not None:
            self._upgrade.start(stylist.reload)
        first = self._settings.current
        loaded, asked = (first.network, first.process_size), asks_style(first, self._ready)

        def follow() -> None:
            nonlocal loaded, asked
            wanted = self._settings.current
            sizes, asks = (wanted.network, wanted.process_size), asks_style(wanted, self._ready)
            if sizes != loaded or (asks != asked and self._may_tell(wanted)):
                stylist.reload(wanted.style)
            loaded, asked = sizes, asks

        self._settings.listen(follow)

    def close(self) -> None:
        """End what is being built. Can be called twice."""
        if self._upgrade is not None:
            self._upgrade.close()

    def _may_tell(self, wanted: LiveSettings) -> bool:
        """Whether the style's network says where people are if it is opened so; engines that are built always do."""
        network = self._catalogue.get(wanted.style).network(wanted.network, gpu=runs_on_gpu(self._ready))
        return self._upgrade is None and network.tells_people

    def _size_of(self, network: Network) -> ProcessSize:
        """That of what draws now, as far as it suits the network."""
        size, engine = self._sizes.of(network), ENGINES.load(self._ready)
        most = most_lines(network, engine, LIVE_LINES)
        if most is not None and getattr(engine, "draws_smaller", False):
            most = most_by_engine(min(self._size))
        return size if size == "auto" else min(size, most or size)

    def _open_ready(self, style: str) -> Styler:
        wanted = self._settings.current
        network = self._catalogue.get(style).network(wanted.network, gpu=runs_on_gpu(self._ready))
        size = wanted.process_size or self._size_of(network)
        at = self._config.model_copy(update={"backend": self._ready, "process_size": size, "network": wanted.network})
        measured = self._budget_ms if size == "auto" else None
        styler = open_styler(
            at,
            self._catalogue,
            style,
            *self._size,
            measured,
            nv12=self._config.nv12,
            shared=self._shared,
            steady=at.steady,
            people=asks_style(wanted, self._ready),
            settled=not wanted.process_size,
        )
        if size == "auto":
            self._sizes.settle(network, styler.working_size)
        return styler

    def _beside_size(self) -> int:
        drawing = self._governor.styler
        return drawing.working_size if drawing is not None else min(self._size)

    def _notify(self, text: str) -> None:
        self._settings.change(notice=text)
