"""Network addresses as they may be shown."""

from __future__ import annotations

import re

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "http", "https", "udp", "tcp", "rtp")

# A password may hold "/" and "@" that should have been escaped; a port is none.
_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):(?!\d+(?:[/?#]|$))(?:[^/\s]*|\S*)@")
_SECRET = re.compile(r"([?&](?:passphrase|password|pass|pwd|token|key|secret|auth)=)[^&#\s]*", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether `text` starts like a network address that can be read."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def masked(url: str) -> str:
    """The address with every password in it replaced, fit for messages and logs."""
    return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))
