"""Inputs: one file per kind of source."""

import cv2  # noqa: F401 - before PyAV: where that is loaded first, OpenCV's first window hangs (PyAV issue 1050)

from livefilter.capture.open import find_input, open_source, resolve_input

__all__ = ["find_input", "open_source", "resolve_input"]
