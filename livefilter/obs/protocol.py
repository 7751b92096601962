"""obs-websocket protocol 5, as far as no connection is needed: message kinds, authentication, what a close code means.

https://github.com/obsproject/obs-websocket/blob/master/docs/generated/protocol.md
"""

from __future__ import annotations

import base64
import hashlib
from enum import IntEnum, IntFlag

from livefilter.errors import ObsError, ObsPassword, ObsUnavailable

RPC_VERSION = 1
# OBS takes no other offsets of sound.
LEAST_OFFSET_MS, MOST_OFFSET_MS = -950, 20000


class Op(IntEnum):
    """The kind of a message."""

    HELLO = 0
    IDENTIFY = 1
    IDENTIFIED = 2
    EVENT = 5
    REQUEST = 6
    RESPONSE = 7
    BATCH = 8
    BATCH_RESPONSE = 9


class Events(IntFlag):
    """What a session may be told of."""

    NONE = 0
    SCENES = 1 << 2
    INPUTS = 1 << 3
    OUTPUTS = 1 << 6


class Close(IntEnum):
    """Why OBS ended a session, as far as that calls for something to be done."""

    NOT_IDENTIFIED = 4007
    AUTHENTICATION_FAILED = 4009
    UNSUPPORTED_RPC_VERSION = 4010
    SESSION_INVALIDATED = 4011


def authentication(password: str, salt: str, challenge: str) -> str:
    """The answer to a challenge: base64 SHA-256 of (base64 SHA-256 of password and salt) and challenge."""
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()


def closed_error(code: int | None, address: str) -> ObsError:
    """What to tell of a session that OBS ended."""
    if code == Close.AUTHENTICATION_FAILED:
        return ObsPassword(
            f"OBS at {address} does not accept the password. Take the one of OBS: Tools, WebSocket Server Settings, "
            "Show Connect Info."
        )
    if code == Close.UNSUPPORTED_RPC_VERSION:
        return ObsUnavailable(
            f"OBS at {address} no longer speaks version {RPC_VERSION} of its protocol. Update livefilter."
        )
    if code == Close.SESSION_INVALIDATED:
        return ObsUnavailable(f"Somebody ended livefilter's session in OBS at {address}. It is tried again.")
    return ObsUnavailable(f"OBS at {address} went away. It is tried again.")
