"""What the keys that pynput reports are called, on each system."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from string import ascii_lowercase, digits
from typing import Any

from livefilter.control.chord_watch import Pressed

_SIDES = {"_l": "", "_r": "", "_gr": "gr"}
_ALTGR_KEYSYM = 0xFE03  # ISO_Level3_Shift, which pynput has no name for
# Virtual key codes of Windows' modifiers (winuser.h), for asking whether they are down.
_WINDOWS_VK = {"ctrl": (0x11,), "alt": (0x12,), "shift": (0x10,), "super": (0x5B, 0x5C)}
# Key codes of macOS (Carbon's HIToolbox/Events.h, kVK_ANSI_*): with Option held, characters say nothing of the key.
_MAC_LETTERS = (0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6)
_MAC_DIGITS = (29, 18, 19, 20, 21, 23, 22, 26, 28, 25)
_MAC_KEYS = dict(zip((*_MAC_LETTERS, *_MAC_DIGITS), ascii_lowercase + digits, strict=True))


def key_namer(keyboard: Any) -> Callable[[Any], Pressed | None]:
    """A function that turns what pynput reports into our names; None for what has no name.

    keyboard: the module pynput.keyboard.
    """
    if sys.platform == "win32":
        # Virtual key codes of digits and letters are their ASCII codes, whatever is held.
        return lambda key: _named(key, {code: chr(code).lower() for code in (*range(0x30, 0x3A), *range(0x41, 0x5B))})
    if sys.platform == "darwin":
        return lambda key: _named(key, _MAC_KEYS)
    special = {key.value.vk: key.name for key in keyboard.Key}
    bases = _x11_bases()
    return lambda key: name_x11_key(key, special, bases)


def name_x11_key(key: Any, special: Mapping[int, str], bases: Mapping[int, int]) -> Pressed | None:
    """Name a key by its keysym.

    special: keysym -> pynput's name. bases: keysym -> keysym of the same key without shift. With shift, X11 reports 1
        as an exclamation mark and alt as meta, so that a chord would be missed and a modifier never be released.
    """
    keysym = _code(key)
    if keysym is None:  # pynput knows keypad keys by their character alone
        char = getattr(key, "char", None)
        return Pressed(f"keypad {char}", (char,)) if char else None
    base = bases.get(keysym, keysym)
    if base == _ALTGR_KEYSYM:
        return Pressed(base, ("altgr",))
    if base in special:
        return Pressed(base, (_plain(special[base]),))
    names = [chr(code).lower() for code in (base, keysym) if 0x20 < code < 0x7F or 0xA0 < code < 0x100]
    return Pressed(base, tuple(dict.fromkeys(names))) if names else None


def windows_still_down(modifier: str) -> bool:
    """Whether Windows says that a modifier is down now."""
    if sys.platform != "win32" or modifier not in _WINDOWS_VK:
        return True
    import ctypes

    return any(ctypes.windll.user32.GetAsyncKeyState(code) & 0x8000 for code in _WINDOWS_VK[modifier])


def _named(key: Any, codes: Mapping[int, str]) -> Pressed | None:
    """Name a key of Windows or macOS: by pynput's name, by its place on the keyboard, by its character."""
    code = _code(key)
    if getattr(key, "name", None):
        return Pressed(code if code is not None else key.name, (_plain(key.name),))
    char = getattr(key, "char", None)
    names = [codes[code]] if code is not None and code in codes else []
    if char and char.isprintable() and char.lower() not in names:
        names.append(char.lower())
    return Pressed(code if code is not None else str(char), tuple(names)) if names else None


def _code(key: Any) -> int | None:
    code: int | None = getattr(getattr(key, "value", key), "vk", None)
    return code


def _plain(name: str) -> str:
    """Drop the side of a modifier: ctrl_l -> ctrl, alt_gr -> altgr, cmd -> super."""
    stem, side = (name[: name.rindex("_")], name[name.rindex("_") :]) if "_" in name else (name, "")
    if stem in ("ctrl", "alt", "shift", "cmd"):
        name = stem + _SIDES.get(side, "")
    return "super" if name == "cmd" else name


def _x11_bases() -> dict[int, int]:
    """Keysym -> the keysym that the same key gives without shift, for the current layout."""
    from Xlib import display

    connection = display.Display()
    try:
        first, last = connection.display.info.min_keycode, connection.display.info.max_keycode
        mapping = [list(keysyms) for keysyms in connection.get_keyboard_mapping(first, last - first + 1)]
    finally:
        connection.close()
    bases: dict[int, int] = {}
    # Level by level, so that a keysym that some key gives without shift stands for that key.
    for level in range(max((len(keysyms) for keysyms in mapping), default=0)):
        for keysyms in mapping:
            if keysyms[0] and level < len(keysyms) and keysyms[level]:
                bases.setdefault(keysyms[level], keysyms[0])
    return bases
