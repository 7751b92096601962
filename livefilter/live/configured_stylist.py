"""What `livefilter render` styles with, here and on the nodes of a cluster."""

from __future__ import annotations

from types import TracebackType

from typing_extensions import Self

from livefilter.config import Config
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo
from livefilter.inference.selection import choose_backend, runs_on_gpu
from livefilter.inference.styler import Styler
from livefilter.live.open_styler import open_styler
from livefilter.styles.catalogue import Catalogue


class ConfiguredStylist:
    """The style and strength of the settings; its engine is opened when the first picture tells the size.

    shared: other engines work on this machine at the same time.
    device: the style and what it runs on, in words; empty before the first picture.
    Raises on construction: UnknownName, BackendUnavailable, StyleCorrupt. The first picture raises what opening raises.
    """

    def __init__(self, config: Config, *, shared: bool = False) -> None:
        # Wrong names are told before any file is opened.
        backend, _reason = choose_backend(config.backend)
        self._catalogue = Catalogue()
        self._catalogue.choose(config.style, config.network, gpu=runs_on_gpu(backend))
        self._config, self._shared = config, shared
        self._styler: Styler | None = None
        self.device = ""

    def __call__(self, image: Image) -> Image:
        """Style one picture, (H, W, 3) uint8 BGR of any size; a new one of the same shape."""
        if self._styler is None:
            height, width = image.shape[:2]
            self._styler = open_styler(
                self._config, self._catalogue, self._config.style, width, height, shared=self._shared
            )
            info = self._styler.engine_info
            self.device = f"{self._config.style} {self._styler.network_size} on {info.backend}, {info.device}"
        return self._styler.draw(image, self._config.strength)

    @property
    def engine_info(self) -> EngineInfo | None:
        """What it runs on; None before the first picture."""
        return self._styler.engine_info if self._styler is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._styler is not None:
            self._styler.close()
