"""The status line of a live run."""

from __future__ import annotations

import threading
from pathlib import Path

from rich.console import Console

from livefilter.cli.status import status_text
from livefilter.config import Config
from livefilter.live.compose import Live, compose_live
from tests.conftest import frame
from tests.fakes import NoKeys, until


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


def test_what_differs_from_the_style_as_meant_is_told(tmp_path: Path) -> None:
    """A bold strength as well as a mild one, and a room of its own."""
    config = Config(input="demo", output=("null",), style="hayao", network="lite", recordings=tmp_path, room="blur")
    live = compose_live(config, NoKeys())
    try:
        live.controller.perform("strength", value=1.5)
        assert "strength 150%  room blur" in shown(live)
    finally:
        live.stylist.close()


def test_a_style_that_was_loaded_but_not_wanted_any_more_is_not_told(tmp_path: Path) -> None:
    """Next style and back again before it has loaded: the line goes on naming what draws."""
    config = Config(input="demo", output=("null",), style="hayao", network="lite", process_size=64, recordings=tmp_path)
    live = compose_live(config, NoKeys())
    try:
        draws = live.facts.styler
        live.stylist(frame(64, 64))
        live.settings.change(style="shinkai")
        live.stylist(frame(64, 64))
        live.settings.change(style="hayao")
        until(lambda: not any(thread.name == "style-loader" for thread in threading.enumerate()), "it was loaded")
        assert live.facts.styler is draws
        live.stylist(frame(64, 64))
        assert live.facts.styler is draws
    finally:
        live.stylist.close()
