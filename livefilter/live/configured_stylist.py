"""What `livefilter render` styles with, here and on the nodes of a cluster."""

from __future__ import annotations

from types import TracebackType

from typing_extensions import Self

from livefilter.config import Config
from livefilter.control.parts import TRANSPARENT
from livefilter.control.settings import LiveSettings
from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.crisp import FILE_LINES
from livefilter.inference.geometry import FLOOR
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
from livefilter.inference.styler import Styler
from livefilter.live.first_parts import first_parts
from livefilter.live.open_styler import open_styler
from livefilter.live.parted import Parted
from livefilter.live.room_picture import Clip
from livefilter.styles.catalogue import Catalogue


class ConfiguredStylist:
    """Style, strength, person and room of the settings; engines are opened when the first picture tells the size.

    shared: other engines work on this machine at the same time. best: as of `open_styler`.
    finds: the backend that finds people; empty for the
        best that is there.
    wanted: style, person and room. device: the style and what it runs on, in words; empty before the first picture.
    Raises on construction: UnknownName, BackendUnavailable, StyleCorrupt, ConfigError, InvalidInput. The first picture
    raises what opening raises.
    """

    def __init__(self, config: Config, *, shared: bool = False, best: bool = False, finds: str = "") -> None:
        # Wrong names are told before any file is opened.
        backend, _reason = choose_backend(config.backend)
        self._catalogue = Catalogue()
        first = first_parts(config, [style.name for style in self._catalogue.styles])
        self._catalogue.choose(first.style, config.network, gpu=best or runs_on_gpu(backend))
        self._config, self._shared, self._best = config, shared, best
        self.wanted = LiveSettings(first.style, config.strength, person=first.person, room=first.room)
        if isinstance(first.picture, Clip):
            first.picture.close()
            raise InvalidInput(f"{config.room} is a clip, and a room shows one only live.", fix="Name a picture.")
        finds = finds or choose_backend("auto", without=BUILT_AHEAD)[0]
        options = EngineOptions(config.threads, config.gpu, config.cuda, shared=shared, precision=config.precision)
        self._parts = Parted(finds, options, lambda name: self._open(name, FLOOR, FLOOR), first.picture)
        self._styler: Styler | None = None
        self.device = ""

    def __call__(self, image: Image) -> Image:
        """Style one picture, (H, W, 3) uint8 BGR of any size; a new one of the same shape, BGRA if it `cuts_out`."""
        if self._styler is None:
            height, width = image.shape[:2]
            self._styler = self._open(self.wanted.style, width, height, people=self.wanted.parted)
            info = self._styler.engine_info
            self.device = f"{self.wanted.style} {self._styler.network_size} on {info.backend}, {info.device}"
        styled = self._styler.draw(image, self._config.strength)
        return self._parts(image, styled, self._styler.person, self.wanted)

    @property
    def cuts_out(self) -> bool:
        """Whether the room of its pictures is transparent."""
        return self.wanted.room == TRANSPARENT

    @property
    def engine_info(self) -> EngineInfo | None:
        """What it runs on; None before the first picture."""
        return self._styler.engine_info if self._styler is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._parts.close()
        if self._styler is not None:
            self._styler.close()

    def _open(self, style: str, width: int, height: int, *, people: bool = False) -> Styler:
        return open_styler(
            self._config,
            self._catalogue,
            style,
            width,
            height,
            shared=self._shared,
            people=people,
            most=FILE_LINES,
            best=self._best,
        )
