"""What the words after --output mean."""

from __future__ import annotations

import pytest

from livefilter.errors import InvalidInput
from livefilter.output import open_sink, resolve_output
from livefilter.output.base import SinkOptions
from livefilter.output.null import NullSink
from tests.conftest import frame


@pytest.mark.parametrize(
    ("spec", "meaning"),
    [
        ("camera", ("camera", "")),
        ("camera:/dev/video10", ("camera", "/dev/video10")),
        ("camera:OBS Virtual Camera", ("camera", "OBS Virtual Camera")),
        ("pipewire", ("pipewire", "")),
        ("pipewire:My camera", ("pipewire", "My camera")),
        ("window", ("window", "")),
        ("page", ("page", "")),
        ("page:8090", ("page", "8090")),
        ("null", ("null", "")),
        ("out.mp4", ("record", "out.mp4")),
        ("C:\\films\\Out.MKV", ("record", "C:\\films\\Out.MKV")),
        ("record:a:b.mov", ("record", "a:b.mov")),
        ("rtmp://host/app/key", ("stream", "rtmp://host/app/key")),
        ("srt://host:9000?mode=caller", ("stream", "srt://host:9000?mode=caller")),
        ("udp://239.0.0.1:5000", ("stream", "udp://239.0.0.1:5000")),
        ("stream:rtmps://host/app/key.mp4", ("stream", "rtmps://host/app/key.mp4")),
    ],
)
def test_every_way_to_name_an_output(spec: str, meaning: tuple[str, str]) -> None:
    """Kinds, targets, paths by their ending, and addresses."""
    assert resolve_output(spec) == meaning


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("wndow", "Did you mean 'window'"),
        ("cammera:/dev/video3", "Did you mean 'camera'"),
        ("out.mp5", r"Did you mean \.mp4"),
        ("http://host/x", "must start with rtmp"),
        ("stream:host", "must start with rtmp"),
        ("record", "needs a target, such as record:out.mp4"),
        ("camera:", "names nothing"),
        ("window:2", "takes no target"),
        ("", "Unknown output"),
    ],
)
def test_what_cannot_be_an_output_is_answered_with_what_is_near(spec: str, words: str) -> None:
    """One line that names the nearest known thing or how it is written."""
    with pytest.raises(InvalidInput, match=words) as caught:
        resolve_output(spec)
    assert "\n" not in str(caught.value)


def test_an_address_with_a_secret_is_not_repeated_in_an_error() -> None:
    """A key in a mistyped address stays secret."""
    with pytest.raises(InvalidInput) as caught:
        resolve_output("rtmpx://host/app/KEY?token=SECRET")
    assert "SECRET" not in str(caught.value)
    assert "KEY" not in str(caught.value)


def test_the_null_output_counts_what_it_is_sent() -> None:
    """Repeats too, as they cost the same."""
    with open_sink("null", SinkOptions(64, 48, 30.0)) as sink:
        assert isinstance(sink, NullSink)
        sink.send(frame())
        sink.send(frame())
    assert sink.sent == 2
