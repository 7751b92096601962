"""The JSON file beside every built engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from livefilter.errors import EngineMismatch
from livefilter.tensorrt.key import EngineKey

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What is known of an engine.

    key: what it depends on. style, licence: of the network it was built from. plan_sha256, plan_bytes: of the plan.
    build_s: seconds the build took. built_at: UTC, ISO 8601. check: figures of the FP16 check, one entry a picture.
    trial: what running it beside another backend found, see Engine.verdict; None before that.
    layers: of the network that TensorRT was given, each with name, type, precision and shape.
    """

    key: EngineKey
    style: str
    licence: str
    plan_sha256: str
    plan_bytes: int
    build_s: float
    built_at: str
    check: tuple[Mapping[str, Any], ...] = ()
    layers: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    trial: str | None = None

    def to_json(self) -> bytes:
        """As stored."""
        names = ("style", "licence", "plan_sha256", "plan_bytes", "build_s", "built_at")
        data = {"format": FORMAT, "key": self.key.as_data()} | {name: getattr(self, name) for name in names}
        data |= {"check": [dict(entry) for entry in self.check], "layers": [dict(entry) for entry in self.layers]}
        if self.trial is not None:
            data["trial"] = self.trial
        return (json.dumps(data, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> Sidecar:
        """Read what `to_json` gave.

        Raises: EngineMismatch: a clause that follows "because".
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise EngineMismatch("its sidecar is not valid JSON") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise EngineMismatch("its sidecar has another format")
        try:
            return cls(
                key=EngineKey.from_data(_as(dict, data["key"])),
                style=_as(str, data["style"]),
                licence=_as(str, data["licence"]),
                plan_sha256=_as(str, data["plan_sha256"]),
                plan_bytes=_as(int, data["plan_bytes"]),
                build_s=float(_as((int, float), data["build_s"])),
                built_at=_as(str, data["built_at"]),
                check=_entries(data["check"]),
                layers=_entries(data["layers"]),
                trial=_as((str, type(None)), data.get("trial")),
            )
        except KeyError as error:
            raise EngineMismatch(f"its sidecar has no {error.args[0]}") from error


def _as(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise EngineMismatch(f"its sidecar has {str(value)[:40]!r} in a wrong place")
    return value


def _entries(values: Any) -> tuple[Mapping[str, Any], ...]:
    return tuple(MappingProxyType(_as(dict, value)) for value in _as(list, values))
