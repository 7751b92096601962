"""What a processor can do."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.inference import providers
from livefilter.inference.hardware import multiplies_bytes

AVX2 = 11  # CV_CPU_AVX2 of OpenCV's cvdef.h


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing is remembered from, or for, another test."""
    multiplies_bytes.cache_clear()
    yield
    multiplies_bytes.cache_clear()


def test_sums_of_bytes_are_right_where_they_are_made_at_once() -> None:
    """On this processor: its flags and what is calculated say the same."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("only x86 sums in 16 bits otherwise")
    if not cv2.checkHardwareSupport(AVX2):
        pytest.skip("without AVX2 sums are right, and slow")
    assert providers.sums_bytes_exactly() == multiplies_bytes()


def test_the_model_is_the_one_that_it_is_said_to_be() -> None:
    """Written again by the package onnx."""
    onnx = pytest.importorskip("onnx")
    port, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "bytes",
        [port("a", kinds.UINT8, [16, 64]), port("b", kinds.INT8, [64, 16])],
        [port("c", kinds.INT32, [16, 16])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    assert model.SerializeToString() == providers._BYTE_PRODUCTS


@pytest.mark.parametrize(("pairs_hold", "able"), [(True, True), (False, False)])
def test_windows_is_asked_by_calculating(monkeypatch: pytest.MonkeyPatch, pairs_hold: bool, able: bool) -> None:
    """Without AVX-512: a processor that adds pairs of products in 16 bits gets other sums."""

    class Session:
        def run(self, _: None, given: dict[str, Any]) -> list[Any]:
            a, b = given["a"].astype(np.int32), given["b"].astype(np.int32)
            pairs = a[:, 0::2, None] * b[None, 0::2] + a[:, 1::2, None] * b[None, 1::2]
            return [(pairs if pairs_hold else pairs.clip(-32768, 32767)).sum(1)]

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda feature: feature == AVX2)
    monkeypatch.setattr(providers, "create_session", lambda *_: Session())
    assert multiplies_bytes() is able


@pytest.mark.parametrize(("machine", "features"), [("ARM64", [AVX2]), ("AMD64", [])], ids=["Arm", "before AVX2"])
def test_other_windows_machines_compute_in_floating_point(
    monkeypatch: pytest.MonkeyPatch, machine: str, features: list[int]
) -> None:
    """Nothing was measured on Arm, and before AVX2 sums are right and slow."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda feature: feature in features)
    monkeypatch.setattr(providers, "create_session", lambda *_: pytest.fail("nothing is asked"))
    assert not multiplies_bytes()


@pytest.mark.parametrize("lacking", ["library", "session"])
def test_windows_without_a_sound_onnx_runtime_computes_in_floating_point(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lacking: str
) -> None:
    """OpenVINO runs without it, so that is a warning and no error."""

    def broken(*_: object) -> None:
        raise RuntimeError("DLL load failed")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda feature: feature == AVX2)
    if lacking == "library":
        monkeypatch.setitem(sys.modules, "livefilter.inference.providers", None)  # its import fails
    else:
        monkeypatch.setattr(providers, "create_session", broken)
    assert not multiplies_bytes()
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told.startswith("Networks run in floating point")
