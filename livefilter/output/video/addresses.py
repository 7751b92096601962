"""Addresses that are streamed to."""

from __future__ import annotations

import re

SCHEMES = ("rtmp://", "rtmps://", "srt://", "udp://")

_PARTS = re.compile(
    r"(?P<scheme>[a-z0-9+.-]+://)(?P<login>[^/?#]*@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<query>.*)", re.I
)

# What may be shown of a query; everything else may be a key or a passphrase.
_HARMLESS = {
    "mode",
    "latency",
    "pkt_size",
    "ttl",
    "transtype",
    "connect_timeout",
    "timeout",
    "overrun_nonfatal",
    "listen",
}


def is_stream_url(text: str) -> bool:
    """Whether this is an address that can be streamed to."""
    return text.lower().startswith(SCHEMES)


def mask_url(url: str) -> str:
    """The address without logins, stream keys and passphrases, fit for a screen or a log."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return url
    login = "***@" if parts["login"] else ""
    path = parts["path"]
    if parts["scheme"].lower().startswith("rtmp"):
        # rtmp://host/app/key: whoever knows the key can broadcast in the user's name.
        application, slash, key = path[1:].partition("/")
        path = path[:1] + application + slash + ("***" if key else "")
    query = re.sub(r"([?&])([^=&]+)=([^&]*)", _mask_value, parts["query"])
    return f"{parts['scheme']}{login}{parts['host']}{path}{query}"


def _mask_value(found: re.Match[str]) -> str:
    value = found[3] if found[2].lower() in _HARMLESS else "***"
    return f"{found[1]}{found[2]}={value}"
