"""Texts of strangers (cards, networks, files' names) as they may be shown."""

from __future__ import annotations

import unicodedata
from typing import Any

_LONGEST = 80
_LONGEST_MESSAGE = 240
# Control characters, the invisible ones that turn the direction of writing, halves of pairs, and line separators.
_UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_KEPT = "\n\t\u200d\ufe0f"  # the last two join the parts of an emoji


def printable(text: str) -> str:
    """The text without what could steer a terminal: each such character is written as its escape, \\x1b for one."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _UNFIT and char not in _KEPT
        else char
        for char in text
    )


def sentence(text: str) -> str:
    """A library's message as part of a sentence: without its full stop, and cut where it gets long."""
    return (text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "...").rstrip(".")


def shown(value: Any) -> str:
    """A value of any kind as part of a message: on one line, and cut where it gets long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number with thousands of digits, lists in lists in lists
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
