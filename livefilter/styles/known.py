"""Well-known generators that a user can get and import."""

from __future__ import annotations

import hashlib
import importlib.resources
from dataclasses import dataclass

from livefilter.toml import tomllib


@dataclass(frozen=True, slots=True)
class KnownGenerator:
    """A published generator, of which livefilter holds nothing but the address.

    file: what its file is called. name: what to call the style. about: what it is good for. page: where to get it.
    sha256: of the file, lower-case hexadecimal; empty where it is not known.
    """

    file: str
    name: str
    title: str
    about: str
    page: str
    licence: str
    credit: str
    sha256: str = ""


def known_generators() -> list[KnownGenerator]:
    """All of the list, in its order."""
    text = importlib.resources.files("livefilter.styles").joinpath("known.toml").read_text(encoding="utf-8")
    return [KnownGenerator(**entry) for entry in tomllib.loads(text)["generator"]]


def recognise(name: str, data: bytes) -> KnownGenerator | None:
    """The entry of the list that a file is, by its SHA-256, or by its name where the list has no SHA-256."""
    known = known_generators()
    found = hashlib.sha256(data).hexdigest()
    by_sum = next((entry for entry in known if entry.sha256 == found), None)
    by_name = (entry for entry in known if not entry.sha256 and entry.file.lower() == name.lower())
    return by_sum or next(by_name, None)
