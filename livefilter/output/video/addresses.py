"""Addresses that are streamed to."""

from __future__ import annotations

SCHEMES = ("rtmp://", "rtmps://", "srt://", "udp://")


def is_stream_url(text: str) -> bool:
    """Whether this is an address that can be streamed to."""
    return text.lower().startswith(SCHEMES)
