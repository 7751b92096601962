"""Writes sbom.cdx.json: what an installed livefilter consists of, as CycloneDX, from requirements.lock.

python -m tools.sbom writes it; the tests compare it with what it would write now.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from livefilter import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SBOM, LOCK = ROOT / "sbom.cdx.json", ROOT / "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; (.*?))?(?: \\)?$")
HASH = "livefilter:sha256-of-a-file"
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> None:
    """Write the file."""
    SBOM.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")


def document() -> dict[str, Any]:
    """The CycloneDX document, version 1.6; the same for the same files, so it holds no date and no serial number."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = components(LOCK.read_text(encoding="utf-8"))
    for part in parts:  # the hashes of all of its files, of which one is installed, stay in the lock file
        part["properties"] = [entry for entry in part["properties"] if entry["name"] != HASH]
    whole = {
        "type": "application",
        "bom-ref": "livefilter",
        "name": project["name"],
        "version": __version__,
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    wanted = {_plain(re.split(r"[^\w.-]", one)[0]) for one in project["dependencies"]}
    direct = [part["bom-ref"] for part in parts if part["name"] in wanted]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": parts,
        "dependencies": [{"ref": "livefilter", "dependsOn": direct}],
    }


def components(lock: str) -> list[dict[str, Any]]:
    """The packages of a lock file in its order, with the condition under which each is installed, and its hashes."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if pinned := _PINNED.match(line):
            name, version, condition = _plain(pinned[1]), pinned[2], pinned[3]
            reference = f"pkg:pypi/{name}@{version}"
            part: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": name, "version": version}
            part |= {"purl": reference, "properties": []}
            if condition:
                part["properties"].append({"name": "livefilter:installed-where", "value": condition})
            found.append(part)
        for digest in _HASH.findall(line):
            found[-1]["properties"].append({"name": HASH, "value": digest})
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
