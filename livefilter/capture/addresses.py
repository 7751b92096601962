"""Network addresses that can be read."""

from __future__ import annotations

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "http", "https", "udp", "tcp", "rtp")


def is_url(text: str) -> bool:
    """Whether `text` starts like a network address that can be read."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text
