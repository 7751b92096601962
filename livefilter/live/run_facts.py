"""What a live run says about itself, to the status line, the pages and the benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.pipeline import Pipeline
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Snapshot
from livefilter.output.base import Sink


class RunFacts:
    """What runs at the moment of the question; see livefilter.web.live_room.Run.

    obs_state: gives the state of the connection to OBS, where there is one.
    """

    def __init__(self, pipeline: Pipeline, stylist: LiveStylist, governor: Governor) -> None:
        self._pipeline, self._stylist, self._governor = pipeline, stylist, governor
        self.obs_state: Callable[[], dict[str, Any]] | None = None

    @property
    def styler(self) -> LadderStyler:
        """What draws; its size may change at any frame."""
        return cast(LadderStyler, self._stylist.styler)

    @property
    def shown_style(self) -> str:
        return self._stylist.style

    @property
    def network(self) -> str:
        """The size of the network that draws, "lite" or "full"."""
        return self.styler.network_size

    @property
    def backend(self) -> str:
        """The registry name of what draws."""
        return self.styler.engine_info.backend

    @property
    def device(self) -> str:
        """Where, in which precision and at which size."""
        engine = self.styler.engine_info
        return f"{engine.device}, {engine.precision}, {engine.width}x{engine.height}"

    @property
    def input_name(self) -> str:
        return self._pipeline.input.name

    @property
    def waiting_for(self) -> str | None:
        return self._pipeline.waiting_for

    @property
    def resting(self) -> bool:
        return self._pipeline.idle.resting

    @property
    def outputs(self) -> list[dict[str, str]]:
        def state(sink: Sink | None) -> str:
            if sink is None:
                return "lost, being opened again"
            watched = sink.watched()
            return "on" if watched is None else "watched" if watched else "nobody watches"

        return [{"name": name, "state": state(sink)} for name, sink in self._pipeline.outputs.sinks]

    @property
    def governor(self) -> dict[str, Any]:
        return dataclasses.asdict(self._governor.state)

    @property
    def obs(self) -> dict[str, Any] | None:
        return self.obs_state() if self.obs_state is not None else None

    def figures(self) -> Snapshot:
        return self._pipeline.metrics.snapshot()
