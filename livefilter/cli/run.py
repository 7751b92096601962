"""`livefilter run`: camera in, styled camera out, live."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.logging import RichHandler
from rich.markup import escape

from livefilter.cli.console import open_console
from livefilter.cli.ending import ending_signals, forget_terminal
from livefilter.cli.obs import ObsWish
from livefilter.cli.options import config_from, config_options
from livefilter.cli.status import status_text
from livefilter.cli.triggers import TriggerSettings, listening
from livefilter.control.settings import SharedSettings
from livefilter.control.terminal import TerminalKeys
from livefilter.live.compose import Live, compose_live
from livefilter.metrics import Snapshot

_TICK_S = 0.03
_STATUS_EVERY_S = 0.25
_LOG_EVERY_S = 10.0


@click.command()
@config_options(
    "input", "output", "style", "network", "strength", "person", "room", "backend", "process_size", "threads",
    "precision", "gpu", "cuda", "width", "height", "fps", "open_timeout", "loop", "compare", "mirror", "mirror_output",
    "nv12", "steady", "low_light", "fade_ms", "hold_s", "idle", "hold", "prefer", "gaming", "gaming_share",
    "gaming_fullscreen", "lan", "strict_outputs", "recordings", "hotkeys", "hotkey", "midi", "midi_pad", "osc", "obs",
)  # fmt: skip
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after this time.")
@click.option("--frames", type=click.IntRange(min=1), metavar="N", help="End after this many styled frames.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures of the run as JSON at its end.")
@click.argument("strays", nargs=-1, metavar="")
def run(
    config: Path | None,
    profile: str | None,
    duration: float | None,
    frames: int | None,
    as_json: bool,
    strays: tuple[str, ...],
    **flags: Any,
) -> None:
    """Style a camera live and send it on as a camera, page, window, file or stream.

    Keys while it runs, here and in the preview window: 1-9 style, n/p next/previous, [ ] strength, c compare,
    m mirror, b bypass, e room, u raw person, r record, s snapshot, space freeze, g gaming mode, o add to OBS, h help,
    q quit. `livefilter hotkeys` shows what works with other windows in focus.
    """
    if strays:
        words = shlex.join(strays[:1])
        raise click.UsageError(f"{words} stands alone. An input is named with -i: livefilter run -i {words}")
    settings = config_from(config, profile, flags)
    if frames:  # they are counted as they are styled, and nobody may be watching
        settings = settings.model_copy(update={"idle": False})
    wanted = TriggerSettings.of(settings)
    wanted.check()
    obs = ObsWish.of(settings, config)
    console = open_console(stderr=as_json)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RichHandler):
            handler.console = console  # log lines go above the status line, not through it
    with TerminalKeys() as keys:
        live = compose_live(settings, keys)

        def restore_terminal() -> None:
            keys.close()
            if console.is_terminal:
                os.write(console.file.fileno(), b"\x1b[?25h")  # the status line hides the cursor

        def say(line: str) -> None:
            console.print(escape(line), soft_wrap=True)

        @contextmanager
        def listen() -> Iterator[None]:
            told = listening(wanted, live.controller, lambda notice: live.settings.change(notice=notice), say)
            with told, obs.connected(live, say):
                yield

        with _clean_interrupt(live.settings, restore_terminal) as interrupts:
            figures, seconds = _watch(
                live, listen, console, duration, frames, interrupts, interactive=console.is_terminal
            )
    if as_json:
        click.echo(json.dumps(_report(live, figures, seconds)))
    else:
        console.print(status_text(live, figures, keys=False, ended=True))
        for said in live.session.recorded:
            console.print(escape(said), soft_wrap=True)
        minutes, left = divmod(round(seconds), 60)
        over = ": the input is at its end; --loop plays a file over and over" if live.pipeline.input_ended else ""
        console.print(f"Ended after {minutes}:{left:02d}, {figures.styled} frames styled{over}.", soft_wrap=True)
    for loss in live.pipeline.outputs.losses:
        console.print(f"[bold red]An output was lost:[/] {escape(loss)}", soft_wrap=True)
    if live.pipeline.outputs.losses:
        raise click.exceptions.Exit(1)


def _watch(
    live: Live,
    listen: Callable[[], AbstractContextManager[object]],
    console: Console,
    duration: float | None,
    frames: int | None,
    interrupts: Sequence[int],
    *,
    interactive: bool,
) -> tuple[Snapshot, float]:
    """Run to the end or to the first of `interrupts`; every part is closed on the way out, whatever happens."""
    started = time.monotonic()
    shown_at = started
    try:
        live.pipeline.start()
        _introduce(live, console)
        screen = LiveDisplay(console=console, auto_refresh=False, transient=True) if interactive else _nothing()
        with listen(), screen as display:
            while live.session.tick(_TICK_S) and not interrupts:
                now = time.monotonic()
                figures = live.pipeline.metrics.snapshot() if frames or now - shown_at >= _STATUS_EVERY_S else None
                if (duration and now - started >= duration) or (figures and frames and figures.styled >= frames):
                    break
                if now - shown_at >= (_STATUS_EVERY_S if interactive else _LOG_EVERY_S):
                    shown_at = now
                    text = status_text(live, live.pipeline.metrics.snapshot(), keys=interactive)
                    if display is not None:
                        display.update(text, refresh=True)
                    else:
                        console.print(text)
    finally:
        figures = live.pipeline.metrics.snapshot()
        live.pipeline.stop()
        try:
            live.session.close()
        finally:
            live.pipeline.join()
    return figures, time.monotonic() - started


def _introduce(live: Live, console: Console) -> None:
    for notice in live.notices:
        console.print(f"[dim]{escape(notice)}[/]", soft_wrap=True)
    console.print(f"Input:  {escape(live.source_name)}", soft_wrap=True)
    for name in live.sink_names:
        console.print(f"Output: {escape(name)}", soft_wrap=True)


def _report(live: Live, figures: Snapshot, seconds: float) -> dict[str, Any]:
    wanted = live.settings.current
    return {
        "seconds": round(seconds, 3),
        "input": live.source_name,
        "outputs": live.sink_names,
        "lost_outputs": live.pipeline.outputs.losses,
        "page": live.page_url,
        "style": live.stylist.style,
        "network": live.facts.network,
        "strength": wanted.strength,
        "backend": live.facts.backend,
        "device": live.facts.device,
        "governor": dataclasses.asdict(live.governor.state),
        "obs": live.facts.obs,
        **dataclasses.asdict(figures),
    }


@contextmanager
def _clean_interrupt(settings: SharedSettings, restore_terminal: Callable[[], None]) -> Iterator[Sequence[int]]:
    """Yield the list of signals so far: Ctrl-C, SIGTERM or a terminal that is closed ends the run cleanly.

    A second one ends the process at once, but for the terminal's, of which its shell may send another.
    """
    interrupts: list[int] = []
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows

    def interrupt(number: int, _frame: FrameType | None) -> None:
        # Takes no lock: the signal may come while this very thread holds it.
        if number == hangup:
            forget_terminal()
        elif interrupts or settings.current.quitting:
            with suppress(Exception):
                restore_terminal()
            os._exit(128 + number)
        interrupts.append(number)

    before = {number: signal.signal(number, interrupt) for number in ending_signals()}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None
