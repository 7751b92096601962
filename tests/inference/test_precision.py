"""Which form of a network runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.errors import BackendUnavailable
from livefilter.inference import precision
from livefilter.inference.base import EngineOptions
from livefilter.inference.precision import decided, form_of
from livefilter.styles.network import Network

FLOAT, INT8 = Path("lite.onnx"), Path("lite.int8.onnx")
BOTH = Network("ink", "lite", FLOAT, "f" * 64, int8_path=INT8, int8_sha256="8" * 64)
IMPORTED = Network("ink", "full", FLOAT, "f" * 64)


class OnProcessor:
    """Stands for a backend that gains from INT8."""

    computes_int8 = True


class OnGpu:
    """Stands for a backend that has no use for it."""


@pytest.fixture(params=[True, False])
def bytes_multiplied(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor multiplies bytes."""
    able = bool(request.param)
    monkeypatch.setattr(precision, "multiplies_bytes", lambda: able)
    return able


def test_int8_runs_where_backend_and_processor_gain(bytes_multiplied: bool) -> None:
    """By itself the INT8 file is taken, with its own checksum, on such a processor; floating point everywhere else."""
    file, options = form_of(BOTH, OnProcessor, EngineOptions(threads=3))
    if bytes_multiplied:
        assert (file, options) == (INT8, EngineOptions(threads=3, sha256="8" * 64, precision="int8"))
    else:
        assert (file, options) == (FLOAT, EngineOptions(threads=3, sha256="f" * 64, precision="float"))
    for network, engine, wanted in (
        (IMPORTED, OnProcessor, "auto"),
        (BOTH, OnGpu, "auto"),
        (BOTH, OnProcessor, "float"),
    ):
        file, options = form_of(network, engine, EngineOptions(precision=wanted))  # type: ignore[arg-type]
        assert (file, options.sha256, options.precision) == (FLOAT, "f" * 64, "float")
    assert form_of(FLOAT, OnProcessor, EngineOptions(sha256="a"))[1].sha256 == "a"


def test_int8_that_cannot_be_had_is_refused(bytes_multiplied: bool) -> None:
    """Asked for by name it runs or says why not, and never something else in its place."""
    with pytest.raises(BackendUnavailable, match="INT8 runs on processors only"):
        decided(OnGpu, "int8")
    if bytes_multiplied:
        assert decided(OnProcessor, "int8") == "int8"
    else:
        with pytest.raises(BackendUnavailable, match="no instructions for INT8"):
            decided(OnProcessor, "int8")
