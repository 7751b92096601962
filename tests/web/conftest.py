"""A page that steers the settings of a run that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.metrics import Metrics, Snapshot
from livefilter.output.base import SinkOptions
from livefilter.output.page import PageSink
from livefilter.styles.catalogue import Catalogue
from livefilter.web.live_room import LiveRoom

OPTIONS = SinkOptions(width=64, height=48, fps=30.0)


class FakeRun:
    """Draws at once whatever is wanted."""

    network, backend, device, input_name = "lite", "onnxruntime", "CPU, fp32, 64x48", "fake camera"
    waiting_for: str | None = None
    resting = False
    governor: dict[str, Any] | None = None
    obs: dict[str, Any] | None = None

    def __init__(self, settings: SharedSettings) -> None:
        self._settings = settings
        self.outputs = [{"name": "fake output", "state": "on"}]

    @property
    def shown_style(self) -> str:
        return self._settings.current.style

    def figures(self) -> Snapshot:
        return Metrics().snapshot()


@dataclass
class Desk:
    """A page and what it steers."""

    page: PageSink
    settings: SharedSettings
    controller: Controller
    run: FakeRun


@pytest.fixture(autouse=True)
def _own_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's own token stays out of it."""
    monkeypatch.setattr("livefilter.web.token.token_path", lambda: tmp_path / "config" / "token")


def open_desk(options: SinkOptions = OPTIONS, target: str = "0") -> Desk:
    """A page over settings, a controller and a fake run."""
    styles = Catalogue().styles
    settings = SharedSettings(LiveSettings("hayao"))
    # Nine, so that each action of the table has something to do.
    names = [style.name for style in styles]
    controller = Controller(settings, [*names, *(f"imported-{number}" for number in range(len(names) + 1, 10))])
    page, run = PageSink(target, options), FakeRun(settings)
    page.steer(LiveRoom(run, settings, controller, styles, ["said before"]))
    return Desk(page, settings, controller, run)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An open page with a run behind it."""
    opened = open_desk()
    yield opened
    opened.page.close()
    opened.controller.close()
