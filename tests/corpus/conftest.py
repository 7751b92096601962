"""A seventh of the corpus for each day of the week, so that daily runs cover it all once a week."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep every seventh case from the one of LIVEFILTER_CORPUS_DAY (1 to 7) on; all of them where it is not set."""
    day = os.environ.get("LIVEFILTER_CORPUS_DAY")
    if not day:
        return
    corpus = [item for item in items if item.get_closest_marker("corpus")]
    left_out = {item for number, item in enumerate(corpus) if number % 7 != int(day) % 7}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
