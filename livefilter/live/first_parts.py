"""What person and room are at the start of a run, from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livefilter.config import Config
from livefilter.control.parts import PERSONS, PICTURE, ROOMS, STYLED
from livefilter.errors import ConfigError, nearest
from livefilter.live.room_picture import RoomPicture, open_room_picture


@dataclass(frozen=True)
class FirstParts:
    """As of LiveSettings: style, person, room; and what the room can show, if there is something: to be closed."""

    style: str
    person: str
    room: str
    picture: RoomPicture | None = None


def first_parts(config: Config, styles: Sequence[str]) -> FirstParts:
    """Read the settings `person` and `room`: a person's own style is the style, and the room keeps the other one.

    styles: the names there are.
    Raises: ConfigError: says what is allowed. InvalidInput, SourceUnavailable: no such picture.
    """
    style, person, room = config.style, config.person, config.room
    if person not in PERSONS and person not in styles:
        raise ConfigError(_wrong("person", person, [*PERSONS, *styles]))
    if person not in PERSONS:
        style, person, room = person, STYLED, config.style if room == STYLED else room
    words = [word for word in ROOMS if word != PICTURE]
    picture = None
    if room not in words and room not in styles:
        path = Path(room).expanduser()
        if not path.is_file() and (path.suffix or len(path.parts) > 1):
            what = "a folder, not a picture or clip" if path.is_dir() else "a file that is not there"
            raise ConfigError(f"Setting room = {room[:200]!r} names {what}. Check the path.")
        if not path.is_file():
            raise ConfigError(_wrong("room", room, [*words, *styles]) + " Or name the file of a picture or clip.")
        picture, room = open_room_picture(path), PICTURE
    return FirstParts(style, person, STYLED if room == style else room, picture)


def _wrong(setting: str, value: str, known: Sequence[str]) -> str:
    meant = nearest(value, known)
    hint = f" Did you mean {meant!r}?" if meant else ""
    return f"Setting {setting} = {value[:80]!r} must be {' or '.join([', '.join(known[:-1]), known[-1]])}.{hint}"
