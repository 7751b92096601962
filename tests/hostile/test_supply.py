"""What is installed is what was meant: the lock file, and the list of parts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from livefilter.toml import tomllib
from tools import sbom

ROOT = Path(__file__).resolve().parents[2]
LOCKED = sbom.components((ROOT / "requirements.lock").read_text(encoding="utf-8"))
SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, and the extra openvino."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(one) for one in (*project["dependencies"], *project["optional-dependencies"]["openvino"])]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", SYSTEMS, ids="-".join)
def test_the_lock_file_holds_what_the_package_needs(python: str, system: tuple[str, str]) -> None:
    """On each system and Python each requirement has exactly one version, within its bounds."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    where |= {"sys_platform": system[0], "platform_machine": system[1]}
    where |= {"platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system[0]]}
    versions: dict[str, list[str]] = {}
    for part in LOCKED:
        conditions = [entry["value"] for entry in part["properties"] if entry["name"].endswith("installed-where")]
        if all(Marker(condition).evaluate(where) for condition in conditions):
            versions.setdefault(part["name"], []).append(part["version"])
    assert all(len(found) == 1 for found in versions.values()), versions
    for requirement in wanted():
        if requirement.marker is None or requirement.marker.evaluate(where):
            (version,) = versions[requirement.name.lower()]
            assert requirement.specifier.contains(Version(version)), f"{requirement} is locked to {version}"


def test_every_package_of_the_lock_file_has_hashes_and_no_address() -> None:
    """It works with whatever index the user has, and takes nothing that is not what was seen."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert all(any(entry["name"] == sbom.HASH for entry in part["properties"]) for part in LOCKED)
    assert not re.search(r"https?://|^\s*(-i|-f|--index|--extra-index|--find-links|--trusted)", text, re.MULTILINE)


def test_the_list_of_parts_is_that_of_the_lock_file() -> None:
    """sbom.cdx.json is made by tools/sbom.py; after a change it must be made again."""
    assert json.loads(sbom.SBOM.read_text(encoding="utf-8")) == sbom.document(), "run: python -m tools.sbom"


def test_the_list_of_parts_names_every_direct_dependency() -> None:
    """In the form that CycloneDX asks for: each with a reference of its own, and what the program itself needs."""
    found = json.loads(sbom.SBOM.read_text(encoding="utf-8"))
    references = [part["bom-ref"] for part in found["components"]]
    assert len(references) == len(set(references))
    needs = set(found["dependencies"][0]["dependsOn"])
    assert needs <= set(references)
    direct = {re.sub(r"@.*", "", reference).removeprefix("pkg:pypi/") for reference in needs}
    assert direct == {requirement.name.lower() for requirement in wanted()} - {"openvino"}


def test_a_changed_package_is_refused(tmp_path: Path) -> None:
    """pip itself checks: a wheel whose bytes are not those of the lock file is not installed."""
    wheel = tmp_path / "click-8.1.0-py3-none-any.whl"
    wheel.write_bytes(b"changed")
    (tmp_path / "lock").write_text(f"click==8.1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-index", "--no-deps", "--require-hashes"]
    command += ["--find-links", str(tmp_path), "-r", str(tmp_path / "lock"), "-d", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode
    assert "HASH" in done.stderr
