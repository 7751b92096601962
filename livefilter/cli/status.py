"""The status line of a live run."""

from __future__ import annotations

import time

from rich.console import Group, RenderableType
from rich.text import Text

from livefilter.control.controller import help_lines
from livefilter.control.parts import RAW, STYLED
from livefilter.live.compose import Live
from livefilter.metrics import Snapshot

_NOTICE_S = 6.0


def status_text(live: Live, figures: Snapshot, *, keys: bool, ended: bool = False) -> RenderableType:
    """Rates, latency, drops, style, backend and page address, a few lines.

    keys: whether keys can be pressed, so that they are worth naming. ended: whether the run is over, so that what was
        only true while it ran is left out.
    """
    wanted = live.settings.current
    age = figures.latency.get("age")
    rates = Text.assemble(
        ("in ", "dim"), f"{figures.input_fps:5.1f} fps  ",
        ("out ", "dim"), f"{figures.output_fps:5.1f} fps  ",
        ("styled ", "dim"), f"{figures.styled_fps:5.1f} fps  ",
        ("latency p50/p95 ", "dim"), f"{age.p50_ms:.0f}/{age.p95_ms:.0f} ms  " if age else "-  ",
        ("dropped ", "dim"), f"{figures.dropped}",
    )  # fmt: skip
    marks = [
        f"strength {wanted.strength:.0%}" if wanted.strength != 1 else "",
        f"room {wanted.room}" if wanted.room not in (STYLED, RAW) else "",  # a raw one has a line of its own
        "compare" if wanted.compare else "",
        "frozen" if wanted.frozen else "",
        "recording" if wanted.recording else "",
    ]
    # A style that is being loaded, or that is wanted when somebody watches again.
    coming = f", then {wanted.style}" if wanted.style != live.stylist.style else ""
    style = Text.assemble(
        ("style ", "dim"), (live.stylist.style, "bold magenta"), f" {live.facts.network}", coming,
        *(f"  {mark}" for mark in marks if mark),
        ("  on ", "dim"), (f"{live.facts.backend}, {live.facts.device}", "cyan"),
    )  # fmt: skip
    lines = [rates, style]
    lines.append(Text.assemble(("governor ", "dim"), str(live.governor.state)))
    if ended:
        return Group(*lines)
    if live.facts.obs is not None:
        lines.append(Text.assemble(("obs ", "dim"), str(live.facts.obs["text"])))
    if live.page_url:
        lines.append(Text.assemble(("page ", "dim"), (live.page_url, "underline")))
    if keys:
        lines[-1].append("  h: help  q: quit", style="dim")
    shown = live.pipeline.shown
    if shown is not None and shown.raw:
        ends = " (b ends it)" if wanted.bypass else ""
        lines.append(Text(f"{shown.mark.upper()}: viewers see the camera's own picture{ends}", "bold red"))
    if live.pipeline.waiting_for:
        lines.append(Text(f"Waiting for {live.pipeline.waiting_for} to come back", "bold yellow"))
    if live.pipeline.idle.resting:
        lines.append(Text("Idle: nobody watches, the camera is released (--no-idle keeps it)", "bold green"))
    if wanted.notice and time.monotonic() - wanted.noticed_at < _NOTICE_S:
        lines.append(Text(wanted.notice, "green"))
    if wanted.help and keys:
        lines.extend(Text(line, "cyan") for line in help_lines())
    return Group(*lines)
