"""Outputs: one file per kind of sink."""

# Before anything here loads PyAV: PyAV brings an X11 library of its own, and on Linux OpenCV hangs for ever at its
# first window if PyAV was loaded first (PyAV issue 1050).
import cv2 as _opencv  # noqa: F401

from livefilter.output.open import VIDEO_SUFFIXES, auto_outputs, check_output, open_sink, resolve_output

__all__ = ["VIDEO_SUFFIXES", "auto_outputs", "check_output", "open_sink", "resolve_output"]
