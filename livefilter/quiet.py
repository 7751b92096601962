"""Keeps the libraries from sending anything anywhere: imported before every other module of the package.

ONNX Runtime since 1.29 reports sessions to its makers and keeps an identifier in the home folder, OpenVINO reports each
import and forks the process to do so. Both are silent where CI is set, so a test that runs there must not set it.
"""

from __future__ import annotations

import os
import sys

# Environment variables, so that processes which are started from here are as quiet.
_SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "SE_AVOID_STATS": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
_REPORTER = "openvino_telemetry"


def keep_quiet() -> None:
    """Switch off what the libraries report about their use; call before they are imported. Can be called twice."""
    os.environ.update(_SWITCHES)
    if _REPORTER not in sys.modules:
        # An import of None fails as that of a package which is not installed does, and OpenVINO provides for that.
        sys.modules[_REPORTER] = None  # type: ignore[assignment]


keep_quiet()
