"""The status line of a live run."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from livefilter.cli.status import status_text
from livefilter.config import Config
from livefilter.live.compose import Live, compose_live
from tests.fakes import NoKeys


def shown(live: Live) -> str:
    """The text of the status line."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(status_text(live, live.pipeline.metrics.snapshot(), keys=True))
    return capture.get()


def test_a_style_that_was_chosen_is_named_before_it_is_on_screen(tmp_path: Path) -> None:
    """While it loads, and as long as nobody watches, the line says what comes next."""
    config = Config(input="demo", output=("null",), style="hayao", network="lite", recordings=tmp_path)
    live = compose_live(config, NoKeys())
    try:
        assert "style hayao lite  on" in shown(live)
        live.controller.perform("style_2")
        assert "style hayao lite, then shinkai  on" in shown(live)
    finally:
        live.stylist.close()
