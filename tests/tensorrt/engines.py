"""An engine that no TensorRT had to build."""

from __future__ import annotations

import hashlib

from livefilter.tensorrt.key import REVISION, EngineKey
from livefilter.tensorrt.sidecar import Sidecar
from livefilter.tensorrt.store import BuiltPlan

KEY = EngineKey("ab" * 32, REVISION, "64x48", "fp16", "rtx", "1.7.1", "none", "any", "none", 3)
PLAN = bytes(range(256)) * 64


def built_plan(key: EngineKey = KEY, plan: bytes = PLAN) -> BuiltPlan:
    """A plan with its sidecar."""
    checksum = hashlib.sha256(plan).hexdigest()
    return BuiltPlan(plan, Sidecar(key, "test", "CC0-1.0", checksum, len(plan), 1.5, "2026-01-02T03:04:05+00:00"))
