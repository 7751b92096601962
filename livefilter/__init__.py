"""livefilter: a real-time anime filter for webcams and livestreams.

A script that styles frames of its own needs three names:

    from livefilter import Catalogue, Styler
    styler = Styler(Catalogue().get("hayao").network(), "onnxruntime", process_size=360)
    styled = styler(image)  # (H, W, 3) uint8 BGR in and out
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import livefilter.quiet  # noqa: F401 - before every library that would report its use

if TYPE_CHECKING:
    from livefilter.capture import open_source as open_source
    from livefilter.config import Config as Config
    from livefilter.errors import LivefilterError as LivefilterError
    from livefilter.frame import Frame as Frame
    from livefilter.inference.styler import Styler as Styler
    from livefilter.live.pipeline import Pipeline as Pipeline
    from livefilter.output import open_sink as open_sink
    from livefilter.styles.catalogue import Catalogue as Catalogue
    from livefilter.web.client import Client as Client

__version__ = "0.1.0"

# Imported when first used: `import livefilter` must not cost OpenCV and a runtime.
_PUBLIC = {
    "Catalogue": "livefilter.styles.catalogue",
    "Client": "livefilter.web.client",
    "Config": "livefilter.config",
    "Frame": "livefilter.frame",
    "LivefilterError": "livefilter.errors",
    "Pipeline": "livefilter.live.pipeline",
    "Styler": "livefilter.inference.styler",
    "open_sink": "livefilter.output",
    "open_source": "livefilter.capture",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'livefilter' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
