"""Which backend runs."""

from __future__ import annotations

import pytest

from livefilter.errors import BackendUnavailable, UnknownName
from livefilter.inference import selection
from livefilter.inference.selection import PREFERENCE, choose_backend
from livefilter.registry import ENGINES


def only(monkeypatch: pytest.MonkeyPatch, *present: str) -> None:
    """Pretend that this machine has these backends and no others."""
    monkeypatch.setattr(
        selection, "why_unavailable", lambda name: None if name in present else f"{name} is away. Install it: pip x"
    )


def test_every_backend_but_identity_has_a_place_in_the_order() -> None:
    """A backend that is added to the registry is not forgotten by auto."""
    assert set(PREFERENCE) == set(ENGINES) - {"identity"}


@pytest.mark.parametrize("first", range(len(PREFERENCE)))
def test_auto_takes_the_best_one_present_and_says_why(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    """auto takes the first of the order that can run; on a bare CPU it says what would make that faster."""
    only(monkeypatch, *PREFERENCE[first:])
    name, reason = choose_backend("auto")
    assert name == PREFERENCE[first]
    assert reason.startswith("the fastest one that runs here")
    assert ("openvino is away" in reason) == (name == "onnxruntime")


def test_auto_without_any_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """When not even the CPU can run, the last reason and its fix are told."""
    only(monkeypatch)
    with pytest.raises(BackendUnavailable, match=r"onnxruntime is away\. Install it: pip x"):
        choose_backend("auto")


def test_a_named_backend_is_taken_even_when_a_better_one_is_present(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's choice stands."""
    only(monkeypatch, "openvino", "onnxruntime")
    assert choose_backend("onnxruntime")[0] == "onnxruntime"


def test_a_named_backend_that_cannot_run_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error with its fix although others are present."""
    only(monkeypatch, "onnxruntime")
    with pytest.raises(BackendUnavailable, match=r"openvino is away\. Install it"):
        choose_backend("openvino")


def test_an_unknown_backend_names_the_nearest() -> None:
    """A typo is answered with what was meant."""
    with pytest.raises(UnknownName, match="Did you mean 'openvino'"):
        choose_backend("openvno")
