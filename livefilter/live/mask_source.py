"""Decides what says where people are: the style's own network where it can, or the small one for that alone."""

from __future__ import annotations

from livefilter.control.parts import ROOMS
from livefilter.control.settings import LiveSettings
from livefilter.inference.selection import runs_on_gpu


def asks_style(wanted: LiveSettings, backend: str) -> bool:
    """Whether a style's network on a backend is to be opened so that it says where people are, if it can.

    Nobody asks while person and room are one. Beside a room in a style of its own a processor draws the person's style
    only where people are, and has to know that before it draws.
    """
    return wanted.parted and (wanted.room in ROOMS or runs_on_gpu(backend))
