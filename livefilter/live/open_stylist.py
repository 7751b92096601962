"""Opens what draws in a live run."""

from __future__ import annotations

import time

from livefilter.config import Config
from livefilter.control.settings import SharedSettings
from livefilter.inference.base import Sharing
from livefilter.inference.selection import runs_on_gpu
from livefilter.live.governor.governor import Governor
from livefilter.live.nv12_check import require_nv12
from livefilter.live.person_crop import PersonCrop
from livefilter.live.person_room import PersonRoom
from livefilter.live.room_picture import RoomPicture
from livefilter.live.style_loader import StyleLoader
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.styles.catalogue import Catalogue


def open_stylist(
    config: Config,
    catalogue: Catalogue,
    settings: SharedSettings,
    metrics: Metrics,
    governor: Governor,
    size: tuple[int, int],
    fps: float,
    room_picture: RoomPicture | None = None,
    *,
    shared: bool | Sharing = False,
) -> tuple[LiveStylist, list[str]]:
    """The style of the settings, warm, and what changes it for another one; and what is to be said about it.

    size: (width, height) of the frames in pixels. room_picture: what the room can show.
    shared: as of EngineOptions.
    The stylist owns the governor and that picture from now on.
    Raises: LivefilterError: the style or its backend cannot be opened; then nothing is left open here.
    """
    loader = StyleLoader(config, catalogue, settings, governor, size, fps, shared=shared)
    try:
        if config.nv12:
            require_nv12(config, loader.backend, *size)
        first = loader.load(settings.current.style)
    except BaseException:
        loader.close()
        raise

    def close() -> None:
        governor.close()
        loader.close()

    clock = time.perf_counter
    crop = None if runs_on_gpu(loader.backend) else PersonCrop(loader.load_part, loader.accepts, clock)
    parts = PersonRoom(
        loader.load_room, loader.load_finder, settings, clock, room_picture, crop=crop, steady=config.steady
    )
    stylist = LiveStylist(
        loader.load, first, settings, metrics, fade_s=config.fade_ms / 1000, on_close=close, parts=parts
    )
    loader.start(stylist)
    said = [f"Backend {loader.backend}, {loader.reason}", settings.current.notice, first.size_reason]
    return stylist, [text for text in said if text]
