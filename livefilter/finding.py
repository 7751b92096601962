"""What the doctor finds, and the advice in an error's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from livefilter.errors import LivefilterError

Status = Literal["ok", "absent", "warn", "fail"]

# From a command's first word to the end of the sentence or clause; a $(...) is swallowed whole.
_COMMAND = re.compile(
    r"(?:sudo|pip|winget|brew|choco|(?:\"[^\"]*|[^\s\"(]*)python[^\s\"]*\"? -m) "
    r"(?:\$\([^)]*\)|.)+?(?=\.(?:\s|$)|[;,)](?:\s|$)| or use |$)",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    status: "ok"; "absent" (not here, and nothing is lost); "warn" (something a user may want is missing);
        "fail" (the main job cannot run).
    fix: what to do, in words. commands: what of it can be typed, one shell line each; remarks begin with "#".
    """

    name: str
    status: Status
    detail: str
    fix: str = ""
    commands: tuple[str, ...] = ()


def commands_in(text: str) -> tuple[str, ...]:
    """The shell commands that an error message recommends."""
    return tuple(dict.fromkeys(found.strip() for found in _COMMAND.findall(text)))


def advice(error: LivefilterError | str) -> tuple[str, str, tuple[str, ...]]:
    """Detail, fix and commands of an error, or of what its message would be."""
    if isinstance(error, str):
        error = LivefilterError(error)
    return error.problem.removesuffix("."), error.fix, commands_in(error.fix)
