"""How a live run is put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.config import Config
from livefilter.errors import SinkLost, SinkUnavailable
from livefilter.live import compose
from livefilter.live.compose import compose_live
from livefilter.output.camera.virtual_camera import VirtualCameraSink
from livefilter.output.page import PageSink
from tests.fakes import NoKeys, until
from tests.web.client import call


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


@pytest.mark.parametrize(
    ("name", "words"), [("mine.mp4", "exists already"), ("nowhere/out.mp4", "there is no folder .*nowhere")]
)
def test_a_recording_that_cannot_begin_is_refused_before_the_input_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """No camera's lamp is lit for a file that is there already."""
    opened: list[str] = []
    (tmp_path / "mine.mp4").write_bytes(b"precious")
    monkeypatch.setattr(compose, "open_input", lambda spec, options: opened.append(spec))
    with pytest.raises(SinkUnavailable, match=words):
        compose_live(Config(input="demo", output=("null", str(tmp_path / name))), NoKeys())
    assert opened == []


def test_a_page_that_is_opened_again_has_parts_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page closes its thumbnails and photos with itself: the next one has new ones, and the same run behind it."""
    monkeypatch.setattr("livefilter.web.token.token_path", lambda: tmp_path / "token")
    config = Config(
        input="demo", output=("page:0", "null"), backend="identity", width=64, height=48, process_size=64, idle=False,
        recordings=tmp_path,
    )  # fmt: skip
    live = compose_live(config, NoKeys())
    live.pipeline.start()
    try:
        first = next(sink for _, sink in live.pipeline.outputs.sinks if isinstance(sink, PageSink))
        before = dict(first._server.site.features)
        assert call(first, "/api/photos/sample", "POST")[0] == 200
        live.pipeline.outputs.fail(first, SinkLost("the page went away"))

        def again() -> list[PageSink]:
            sinks = [sink for _, sink in live.pipeline.outputs.sinks]
            return [sink for sink in sinks if isinstance(sink, PageSink) and sink is not first]

        until(lambda: bool(again()), "the page is back")
        (second,) = again()
        after = second._server.site.features
        assert set(after) == set(before)
        for name in ("thumbnails", "photos", "clips"):
            assert after[name] is not before[name], name
        assert call(second, "/api/photos/sample", "POST")[0] == 200
        assert call(second, "/api/actions/bypass?on=1", "POST")[0] == 200
        assert live.settings.current.bypass
        assert second._server.site.room is first._server.site.room
    finally:
        live.session.close()
        live.pipeline.stop()
        live.pipeline.join()
