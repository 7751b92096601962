"""The pages without a live run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from livefilter.styles.card import Style
from livefilter.web.live_room import style_facts
from livefilter.web.site import EmptyRoom


class StudioRoom(EmptyRoom):
    """Knows the styles, and steers nothing."""

    def __init__(self, styles: Iterable[Style]) -> None:
        self._styles = [style_facts(style) for style in styles]

    def state(self) -> dict[str, Any]:
        return {"live": False, "styles": self._styles}
