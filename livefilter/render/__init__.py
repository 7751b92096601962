"""Styling files completely: nothing is dropped, order and timing are kept."""

from livefilter.render.files import Interrupted, Openers, Rendered, render_path
from livefilter.render.stages import render

__all__ = ["Interrupted", "Openers", "Rendered", "render", "render_path"]
