"""How a live run is put together."""

from __future__ import annotations

import pytest

from livefilter.config import Config
from livefilter.errors import SinkUnavailable
from livefilter.live import compose
from livefilter.live.compose import compose_live
from livefilter.output.camera.virtual_camera import VirtualCameraSink
from tests.fakes import NoKeys


def test_an_output_that_others_feed_is_refused_before_the_input_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that feeds it keeps its camera, which a second run would have taken from it for a moment."""
    opened: list[str] = []

    def fed(target: str) -> None:
        raise SinkUnavailable(f"Another program already sends to {target}.")

    monkeypatch.setattr(VirtualCameraSink, "check", staticmethod(fed))
    monkeypatch.setattr(compose, "open_input", lambda spec, options: opened.append(spec))
    with pytest.raises(SinkUnavailable, match="already sends to /dev/video10"):
        compose_live(Config(input="demo", output=("page", "camera:/dev/video10")), NoKeys())
    assert opened == []
