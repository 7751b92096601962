"""Outputs: one file per kind of sink."""

from livefilter.output.open import VIDEO_SUFFIXES, auto_outputs, open_sink, resolve_output

__all__ = ["VIDEO_SUFFIXES", "auto_outputs", "open_sink", "resolve_output"]
