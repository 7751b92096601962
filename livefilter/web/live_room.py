"""A live run as the pages and the API see it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from livefilter.control.controller import Controller
from livefilter.control.settings import SharedSettings
from livefilter.metrics import Snapshot
from livefilter.styles.card import Style

_NOTICES = 30
_FIGURES_EVERY_S = 0.08
_SLIDING = "Strength "  # a slider says many of these; the last one counts, and what was said before stays
_MOVING = ("own_share", "others_share", "held_share", "held_of_s", "missing", "rate_fps")


class Run(Protocol):
    """What is asked of a live run, as livefilter.live.Live is."""

    @property
    def shown_style(self) -> str:
        """The style that is drawn now; the wanted one may still load."""

    @property
    def network(self) -> str:
        """The size of the network that draws now."""

    @property
    def backend(self) -> str:
        """The registry name of what draws now."""

    @property
    def device(self) -> str:
        """Where, in which precision and at which size."""

    @property
    def input_name(self) -> str:
        """The input that runs."""

    @property
    def waiting_for(self) -> str | None:
        """The input that is lost and not found again yet."""

    @property
    def resting(self) -> bool:
        """Whether the camera is released because nobody watches."""

    @property
    def outputs(self) -> list[dict[str, str]]:
        """Name and state of each output."""

    @property
    def governor(self) -> dict[str, Any] | None:
        """What holds rate and age, as livefilter.live.governor.state.GovernorState has it; None without one."""

    @property
    def obs(self) -> dict[str, Any] | None:
        """OBS, as livefilter.obs.status.ObsStatus has it, and in words as "text"; None where it is not connected to."""

    def figures(self) -> Snapshot:
        """Rates and delays."""


class LiveRoom:
    """State, meters and actions of a run.

    notices: what was said before it began.
    """

    live = True

    def __init__(
        self,
        run: Run,
        settings: SharedSettings,
        controller: Controller,
        styles: Sequence[Style],
        notices: Sequence[str] = (),
    ) -> None:
        self._run, self._settings, self._controller = run, settings, controller
        self._styles = [style_facts(style) for style in styles]
        self._notices: deque[dict[str, Any]] = deque(maxlen=_NOTICES)
        self._noticed_at = 0.0
        self._noticed = itertools.count(1)
        self._recording_since: float | None = None
        self._lock = threading.Lock()
        self._figures: tuple[float, dict[str, Any]] = (0.0, {})
        for text in notices:
            self._add(text)
        settings.listen(self._follow)

    def state(self) -> dict[str, Any]:
        """See livefilter.web.site.Room."""
        wanted, run = self._settings.current, self._run
        return {
            "live": True,
            "style": wanted.style,
            "shown_style": run.shown_style,
            "styles": self._styles,
            "strength": min(wanted.strength, wanted.strongest),
            "strongest": wanted.strongest,
            "person": wanted.person,
            "room": wanted.room,
            "room_picture": self._controller.room_picture,
            "compare": wanted.compare,
            "split": wanted.split,
            "mirror": wanted.mirror,
            "mirror_output": wanted.mirror_output,
            "bypass": wanted.bypass,
            "frozen": wanted.frozen,
            "recording": wanted.recording,
            "snapshots": wanted.snapshots,
            "network": wanted.network,
            "shown_network": run.network,
            "process_size": wanted.process_size,
            "gaming": wanted.gaming,
            "prefer": wanted.prefer,
            "hold": list(wanted.hold),
            "backend": run.backend,
            "device": run.device,
            "input": {"name": run.input_name, "waiting": run.waiting_for is not None},
            "resting": run.resting,
            "outputs": run.outputs,
            "timed": [{key: each[key] for key in ("setting", "action", "waiting")} for each in self._timed()],
            "governor": _calm(run.governor),
            "obs": run.obs,
            "notices": list(self._notices),
        }

    def meters(self) -> dict[str, Any]:
        """See livefilter.web.site.Room."""
        with self._lock:
            taken_at, figures = self._figures
            if time.monotonic() - taken_at > _FIGURES_EVERY_S:
                figures = _figures(self._run.figures())
                self._figures = (time.monotonic(), figures)
        since = self._recording_since
        recording_s = None if since is None else round(time.monotonic() - since, 1)
        told = {"timed": self._timed(), "governor": self._run.governor, "obs": self._run.obs}
        return figures | told | {"recording_s": recording_s}

    def perform(self, action: str, values: Mapping[str, Any]) -> None:
        """See livefilter.web.site.Room."""
        self._controller.perform(action, **{str(name): value for name, value in values.items()})

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """See livefilter.web.site.Room."""
        return self._settings.listen(listener)

    def _timed(self) -> list[dict[str, Any]]:
        return self._controller.timed.state()

    def _follow(self) -> None:
        wanted = self._settings.current
        if not wanted.recording:
            self._recording_since = None
        elif self._recording_since is None:
            self._recording_since = time.monotonic()
        if wanted.notice and wanted.noticed_at != self._noticed_at:
            self._noticed_at = wanted.noticed_at
            self._add(wanted.notice)

    def _add(self, text: str) -> None:
        if self._notices and all(each.startswith(_SLIDING) for each in (text, self._notices[-1]["text"])):
            self._notices.pop()
        self._notices.append({"number": next(self._noticed), "text": text, "at": round(time.time(), 1)})


def _calm(governor: dict[str, Any] | None) -> dict[str, Any] | None:
    """What of the governor is no figure that moves all the time: the state is told whenever it changes."""
    if governor is None:
        return None
    return {name: value for name, value in governor.items() if name not in _MOVING}


def style_facts(style: Style) -> dict[str, Any]:
    """A style for a page: its names, what it is, and the sizes of its networks."""
    return {
        "name": style.name,
        "title": style.title,
        "description": style.description,
        "credit": style.credit,
        "licence": style.licence,
        "networks": list(style.networks),
    }


def _figures(found: Snapshot) -> dict[str, Any]:
    age = found.latency.get("age")
    return {
        "input_fps": round(found.input_fps, 1),
        "styled_fps": round(found.styled_fps, 1),
        "output_fps": round(found.output_fps, 1),
        "latency_ms": {"p50": round(age.p50_ms, 1), "p95": round(age.p95_ms, 1)} if age else None,
        "stages_ms": {name: round(each.p50_ms, 2) for name, each in found.latency.items()},
        "captured": found.captured,
        "styled": found.styled,
        "sent": found.sent,
        "dropped": found.dropped,
    }
