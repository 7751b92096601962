"""Key chords such as ctrl+shift+f2."""

from __future__ import annotations

from dataclasses import dataclass

from livefilter.errors import ConfigError, nearest

MODIFIERS = ("ctrl", "alt", "altgr", "shift", "super")
_MODIFIER_ALIASES = {
    "control": "ctrl", "option": "alt", "opt": "alt", "cmd": "super", "command": "super", "win": "super",
    "windows": "super", "meta": "super", "logo": "super",
}  # fmt: skip
# The named keys, as pynput calls them, and as X11 (xkbcommon-keysyms.h) calls them, which the desktop portal wants.
_TYPING_KEYS = {
    "space": "space", "enter": "Return", "tab": "Tab", "esc": "Escape", "backspace": "BackSpace", "delete": "Delete",
    "insert": "Insert", "home": "Home", "end": "End", "page_up": "Prior", "page_down": "Next", "up": "Up",
    "down": "Down", "left": "Left", "right": "Right",
}  # fmt: skip
_LONE_KEYS = {
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
    "pause": "Pause", "print_screen": "Print", "scroll_lock": "Scroll_Lock", "menu": "Menu",
    "media_play_pause": "XF86AudioPlay", "media_next": "XF86AudioNext", "media_previous": "XF86AudioPrev",
    "media_volume_mute": "XF86AudioMute", "media_volume_up": "XF86AudioRaiseVolume",
    "media_volume_down": "XF86AudioLowerVolume",
}  # fmt: skip
_SIGNS = {
    "-": "minus", "=": "equal", "[": "bracketleft", "]": "bracketright", ";": "semicolon", "'": "apostrophe",
    ",": "comma", ".": "period", "/": "slash", "\\": "backslash", "`": "grave", "+": "plus",
}  # fmt: skip
_KEY_ALIASES = {
    **{word: sign for sign, word in _SIGNS.items()},
    "return": "enter", "escape": "esc", "del": "delete", "ins": "insert", "pageup": "page_up", "pgup": "page_up",
    "pagedown": "page_down", "pgdn": "page_down", "print": "print_screen",
}  # fmt: skip
_WORDS = {*MODIFIERS, *_MODIFIER_ALIASES, *_TYPING_KEYS, *_LONE_KEYS, *_KEY_ALIASES}


@dataclass(frozen=True, slots=True)
class Chord:
    """A key with the modifiers that must be held, no more and no fewer.

    key: a printable character in lower case, or a name such as "f2", "page_up", "media_next".
    modifiers: of MODIFIERS; "super" is the Windows, Command or logo key.
    """

    key: str
    modifiers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        held = [name for name in MODIFIERS if name in self.modifiers]
        return "+".join([*held, "plus" if self.key == "+" else "comma" if self.key == "," else self.key])

    @property
    def label(self) -> str:
        """How it is shown, such as "Ctrl+Shift+F2"."""
        return "+".join(part.replace("_", " ").title() for part in str(self).split("+"))

    @property
    def portal(self) -> str | None:
        """The trigger of the XDG shortcuts specification 0.1, such as "CTRL+SHIFT+F2"; None where it has no words."""
        if "altgr" in self.modifiers:
            return None
        key = _TYPING_KEYS.get(self.key) or _LONE_KEYS.get(self.key) or _SIGNS.get(self.key, self.key)
        if not (key.replace("_", "").isalnum() and key.isascii()):
            return None
        held = ["LOGO" if name == "super" else name.upper() for name in MODIFIERS if name in self.modifiers]
        return "+".join([*held, key])

    @classmethod
    def parse(cls, text: str) -> Chord:
        """Read "ctrl+shift+f2"; case and spaces do not matter, and "plus" and "comma" stand for + and ,.

        Raises: ConfigError: says which part is wrong, or that the chord would fire while somebody types.
        """
        parts = [part.strip().lower() for part in text.split("+")]
        modifiers: set[str] = set()
        keys: list[str] = []
        for part in parts:
            part = _MODIFIER_ALIASES.get(part, part)
            if part in MODIFIERS:
                modifiers.add(part)
            else:
                keys.append(_key(part, text))
        if len(keys) != 1:
            found = f"two keys, {keys[0]} and {keys[1]}" if keys else "no key beside the modifiers"
            raise ConfigError(f"Chord {text!r} names {found}; it takes one, such as ctrl+shift+f2.")
        if keys[0] not in _LONE_KEYS and not modifiers - {"shift"}:
            raise ConfigError(f"Chord {text!r} would act while you type; hold ctrl, alt or super with it.")
        return cls(keys[0], frozenset(modifiers))


def _key(part: str, text: str) -> str:
    key = _KEY_ALIASES.get(part, part)
    if key in _TYPING_KEYS or key in _LONE_KEYS or (len(key) == 1 and key.isprintable() and key != " "):
        return key
    if not part:
        raise ConfigError(f"Chord {text!r} has an empty part; the key + itself is written plus.")
    meant = nearest(part, _WORDS)
    hint = (
        f"Did you mean {meant!r}?" if meant else "Keys are single characters, f1 to f24, space, page_up and the like."
    )
    raise ConfigError(f"Chord {text!r} has no key {part!r}. {hint}")
