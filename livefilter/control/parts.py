"""What a person and the room around them can be, in words that settings, actions and the page share."""

from __future__ import annotations

from collections.abc import Sequence

from livefilter.errors import InvalidInput, nearest

STYLED, RAW, BLUR, TRANSPARENT, PICTURE = "style", "raw", "blur", "transparent", "picture"
PERSONS = (STYLED, RAW)
ROOMS = (STYLED, RAW, BLUR, TRANSPARENT, PICTURE)


def check_room(room: str, styles: Sequence[str], *, picture: bool) -> str:
    """The room itself, if it is one: a word of ROOMS or a style.

    picture: whether the run has one. Raises: InvalidInput: says what there is.
    """
    if room == PICTURE and not picture:
        raise InvalidInput("This run has no picture for the room. Start it with one: livefilter run --room FILE.")
    if room in ROOMS or room in styles:
        return room
    known = [*(word for word in ROOMS if picture or word != PICTURE), *styles]
    meant = nearest(room, known)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise InvalidInput(f"There is no room {room[:60]!r}.{hint} It can be {', '.join(known)}.")


def next_room(room: str, *, picture: bool) -> str:
    """The one after it when a key goes through them; the raw room is never among those."""
    turn = [word for word in ROOMS if word != RAW and (picture or word != PICTURE)]
    return turn[(turn.index(room) + 1) % len(turn)] if room in turn else STYLED


def raw_words(person: str, room: str) -> list[str]:
    """What of the camera's own pixels they show, for the mark."""
    return [*["raw person"] * (person == RAW), *["raw room"] * (room == RAW)]
