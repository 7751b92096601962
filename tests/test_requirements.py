"""The two lists of packages: pyproject.toml for everyone, requirements.txt for machines with an NVIDIA GPU."""

from __future__ import annotations

import re
from pathlib import Path

from livefilter.toml import tomllib

ROOT = Path(__file__).resolve().parents[1]


def test_requirements_hold_what_the_package_needs_with_the_same_bounds() -> None:
    """Installing requirements.txt leaves nothing out; of ONNX Runtime it takes the GPU build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = {_plain(line) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()}
    for wanted in [*project["dependencies"], *extras["tensorrt"]]:
        assert _plain(wanted.replace("onnxruntime>", "onnxruntime-gpu>")) in listed


def test_the_readme_says_why_each_package_is_there() -> None:
    """Every package of pyproject.toml has a row in the README's table; development tools need none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for name, group in extras.items() if name != "dev" for one in group)]
    _, _, table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Why these packages")
    named = re.findall(r"[\w-]+", table.partition("## Licence")[0])
    assert not {re.split(r"[^\w-]", one)[0] for one in wanted} - set(named)


def _plain(requirement: str) -> str:
    return requirement.replace(" ", "").replace("'", '"')
