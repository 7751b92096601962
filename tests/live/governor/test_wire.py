"""What the governor may choose between."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.control.settings import LiveSettings
from livefilter.live.governor.wire import _networks
from livefilter.styles.network import Network

KNOWN = {size: Network("ink", size, Path(f"{size}.onnx"), "") for size in ("lite", "full")}


@pytest.mark.parametrize(
    ("settings", "gpu", "found"),
    [
        (LiveSettings("ink"), False, {"lite", "full"}),
        (LiveSettings("ink", prefer="looks"), False, {"lite", "full"}),
        (LiveSettings("ink", prefer="speed"), False, {"lite"}),
        (LiveSettings("ink", prefer="cool"), False, {"lite"}),
        (LiveSettings("ink", prefer="speed"), True, {"lite", "full"}),
        (LiveSettings("ink", network="lite"), False, {"lite"}),
        (LiveSettings("ink", process_size=360), False, {"lite"}),
    ],
)
def test_a_processor_may_climb_to_full_unless_told_otherwise(
    settings: LiveSettings, gpu: bool, found: set[str]
) -> None:
    """Both networks are on the ladder, but where one or a size was named, or speed counts more."""
    assert set(_networks(settings, KNOWN, "lite", gpu=gpu)) == found
