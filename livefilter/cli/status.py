"""The status line of a live run."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from livefilter.cli.compose import Live
from livefilter.control.controller import help_lines
from livefilter.metrics import Snapshot


def status_text(live: Live, figures: Snapshot) -> RenderableType:
    """Rates, latency, drops, style, backend and page address, in two or three lines."""
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
        f"strength {wanted.strength:.0%}" if wanted.strength < 1 else "",
        "compare" if wanted.compare else "",
        "frozen" if wanted.frozen else "",
        "recording" if wanted.recording else "",
    ]
    style = Text.assemble(
        ("style ", "dim"), (live.stylist.style, "bold magenta"),
        f" {'  '.join(mark for mark in marks if mark)}  " if any(marks) else "  ",
        (f"{live.backend} ({live.device})", "cyan"),
        ("  page ", "dim") if live.page_url else "", (live.page_url or "", "underline"),
        ("  h: help  q: quit", "dim"),
    )  # fmt: skip
    lines = [rates, style]
    if wanted.bypass:
        lines.append(Text("BYPASS: viewers see the raw camera (b ends it)", "bold red"))
    if live.pipeline.waiting_for:
        lines.append(Text(f"Waiting for {live.pipeline.waiting_for} to come back", "bold yellow"))
    if wanted.notice:
        lines.append(Text(wanted.notice, "green"))
    if wanted.help:
        lines.extend(Text(line, "cyan") for line in help_lines())
    return Group(*lines)
