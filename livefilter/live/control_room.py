"""Lets the pages steer a live run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from livefilter.config import Config
from livefilter.control.actions import BARE
from livefilter.control.bindings import chord_bindings, pad_bindings
from livefilter.control.controller import Controller
from livefilter.control.settings import SharedSettings
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.selection import BUILT_AHEAD
from livefilter.inference.styler import Styler
from livefilter.live.input_choice import InputChooser
from livefilter.live.photos import photo_features
from livefilter.live.pipeline import Pipeline
from livefilter.live.run_facts import RunFacts
from livefilter.live.stylist import LiveStylist
from livefilter.output.base import Sink
from livefilter.output.page import PageSink
from livefilter.styles.catalogue import Catalogue
from livefilter.web.live_room import LiveRoom
from livefilter.web.thumbnails import Thumbnails


def steer_pages(
    config: Config,
    catalogue: Catalogue,
    pipeline: Pipeline,
    stylist: LiveStylist,
    facts: RunFacts,
    settings: SharedSettings,
    controller: Controller,
    sinks: Sequence[Sink],
    notices: Sequence[str],
) -> Callable[[Sink], None]:
    """Give the run's state and actions to every page among its outputs. Returns: what does so for one opened later."""
    inputs = InputChooser(config, pipeline.input, lambda notice: settings.change(notice=notice))
    controller.change_input = inputs.choose
    if facts.backend in BUILT_AHEAD:
        why = f"The size of {facts.backend}'s engines is chosen when they are built. Start livefilter again with --"
        controller.unavailable |= {"network": f"{why}network.", "process_size": f"{why}process-size."}
    rooms: list[LiveRoom] = []

    def small_styler(style: str) -> Styler:
        """For small pictures, on one CPU core, so that the live run has the rest."""
        network = catalogue.get(style).network("lite", gpu=False)
        return Styler(network, "onnxruntime", options=EngineOptions(threads=1, people=False))

    def steer(sink: Sink) -> None:
        if isinstance(sink, PageSink):
            if not rooms:
                rooms.append(LiveRoom(facts, settings, controller, catalogue.styles, notices))
            sink.steer(
                rooms[0],
                # A page closes these with itself, so each has its own.
                thumbnails=Thumbnails(lambda: _original(stylist), small_styler, lambda: _keeps_up(facts)),
                original=lambda: _original(stylist),
                inputs=inputs.listed,
                doctor=doctor_rows,
                folders=[config.recordings],
                bindings=bindings_of(config),
                **photo_features(catalogue),
            )

    for sink in sinks:
        steer(sink)
    return steer


def bindings_of(config: Config) -> dict[str, dict[str, list[str]]]:
    """The chords and pads of each action, as the settings have them."""
    hotkeys, pads = chord_bindings(config.hotkey), pad_bindings(config.midi_pad)
    return {
        "hotkeys": {name: [str(chord) for chord, bound in hotkeys.items() if bound == name] for name in BARE},
        "pads": {name: [str(pad) for pad, bound in pads.items() if bound == name] for name in BARE},
    }


def doctor_rows() -> list[dict[str, Any]]:
    """What `livefilter doctor` says."""
    from livefilter.doctor import run_checks

    return [{"name": row.name, "status": row.status, "detail": row.detail, "fix": row.fix} for row in run_checks()]


def _original(stylist: LiveStylist) -> Image | None:
    frame = stylist.original
    return frame.image if frame is not None else None


def _keeps_up(facts: RunFacts) -> bool:
    """Whether nearly every captured frame is styled, and somebody sees it."""
    figures = facts.figures()
    return not facts.resting and figures.styled_fps >= 0.9 * figures.input_fps
