"""V4L2's calls, from linuxpy: loaded when a camera is used, so that everything else works without that package.

Raises on import: SourceUnavailable: linuxpy cannot be loaded.
"""

from __future__ import annotations

from livefilter.errors import SourceUnavailable

try:
    from linuxpy.video import device as v4l2
except ImportError as error:
    raise SourceUnavailable(
        f"Cameras cannot be used: linuxpy cannot be loaded ({error}). Install it with: pip install linuxpy"
    ) from error

__all__ = ["v4l2"]
