"""Inputs: one file per kind of source."""

from livefilter.capture.open import find_input, open_source, resolve_input

__all__ = ["find_input", "open_source", "resolve_input"]
