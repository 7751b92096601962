"""Outputs: one file per kind of sink."""

from livefilter.output.open import auto_outputs, open_sink, resolve_output

__all__ = ["auto_outputs", "open_sink", "resolve_output"]
