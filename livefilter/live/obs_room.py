"""Connects a live run to OBS."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from livefilter.obs.scenes import Step
from livefilter.obs.settings import ObsSettings
from livefilter.obs.sources import Offer
from livefilter.output.base import Sink

if TYPE_CHECKING:
    from livefilter.live.compose import Live
    from livefilter.obs.link import ObsLink

_log = logging.getLogger(__name__)
_HERE = {"127.0.0.1", "localhost", "::1"}


def open_obs(settings: ObsSettings, rules: Mapping[str, Sequence[Step]], live: Live) -> ObsLink:
    """Keep a run in touch with OBS until the link is closed; pages show its state, and the action add_to_obs works."""
    from livefilter.obs.link import ObsLink, ObsRun

    def notify(notice: str) -> None:
        _log.info("%s", notice)
        live.settings.change(notice=notice)

    here = urlsplit(settings.address).hostname in _HERE

    def offer() -> Offer:
        sinks = [sink for _, sink in live.pipeline.outputs.sinks if sink is not None]
        return offered(sinks, *live.size, here=here)

    link = ObsLink(
        settings,
        ObsRun(live.pipeline.metrics, live.settings, live.controller.perform, notify, offer, rules),
    )
    live.controller.add_source = link.add_source
    live.facts.obs_state = lambda: {**dataclasses.asdict(link.status), "text": str(link.status)}
    return link


def offered(sinks: Sequence[Sink], width: int, height: int, *, here: bool) -> Offer:
    """What of the outputs an OBS could take; here: whether it runs on this computer. width, height: pixels."""
    if not here:
        return Offer(width=width, height=height)  # our camera and our page are not to be had there
    devices = [str(getattr(sink, "device", "")) for sink in sinks]
    pages = [str(getattr(sink, "url", "")) for sink in sinks]
    camera = next((device for device in devices if device.startswith("/dev/")), "")
    return Offer(camera, next((page for page in pages if page), ""), width, height)
