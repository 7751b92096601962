"""TOML on Pythons whose standard library has none."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

import livefilter.toml


def test_python_3_10_reads_toml_with_tomli(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that pyproject.toml asks for there stands in."""
    tomli = ModuleType("tomli")
    with monkeypatch.context() as older:
        older.setattr(sys, "version_info", (3, 10, 13, "final", 0))
        older.setitem(sys.modules, "tomli", tomli)
        older.delattr(livefilter.toml, "tomllib")
        assert importlib.reload(livefilter.toml).tomllib is tomli
    importlib.reload(livefilter.toml)
    assert livefilter.toml.tomllib.loads("one = 1") == {"one": 1}
