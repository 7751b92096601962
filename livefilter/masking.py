"""Addresses without what is secret in them: the one function for all that is printed, logged, put into JSON or titles.

What may be shown is listed, and the rest is hidden: a new service's name for its key is then hidden too.
"""

from __future__ import annotations

import re

HIDDEN = "***"

# A stream's key stands in the path, whoever has it can broadcast in the user's name. Of these the path is none.
_PATH_IS_PUBLIC = {"http", "https", "rtsp", "rtsps", "udp", "tcp", "rtp", "srt", "file", "screen"}
# Of a query these say how, not who.
_HARMLESS = {
    *("buffer_size", "channel", "clean", "codec", "connect_timeout", "format", "fps", "height", "latency", "listen"),
    *("localaddr", "localport", "mode", "overrun_nonfatal", "pkt_size", "quality", "resolution", "reuse"),
    *("rtsp_transport", "rw_timeout", "stream", "subtype", "timeout", "transtype", "ttl", "width"),
}
_SECRET = re.compile(
    r"(?<![a-z0-9])((?:[a-z0-9]+[_-])*(?:api|access|auth|stream|pub|refresh|client)?[_-]?"
    r"(?:key|token|secret|pass\w*|pwd|user\w*|login|auth|signature|sig|credential\w*|streamid|session\w*))=(?!\*\*\*)\S+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):?(?P<slashes>//?)(?P<login>[^/?#]*@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<query>.*)",
    re.IGNORECASE | re.DOTALL,
)
# A password may hold "/" and "@" that should have been escaped; a port is none.
_LOOSE_LOGIN = re.compile(r"(?<=//)([^/@\s:]*):(?!\d+(?:[/?#]|$))(?:[^/\s]*|\S*)@")
_IN_TEXT = re.compile(r"[a-z][a-z0-9+.-]*:/{1,2}[^\s'\"<>|]+|[a-z0-9+.-]+//[^\s'\"<>|/]+/[^\s'\"<>|]+", re.IGNORECASE)
_KIND = re.compile(r"[a-z]+:(?=[a-z][a-z0-9+.-]*:?//?)", re.IGNORECASE)  # stream:rtmp://...
_LOOKS_LIKE_A_KEY = re.compile(r"(?=.*\d)[\w-]{12,}")


def mask_address(address: str, *, sent_to: bool = False) -> str:
    """The address without logins, stream keys, tokens and passphrases; also of one that is written wrongly.

    address: the whole of what the user wrote; what follows a space, as librtmp's options do, is masked as text.
    sent_to: it is an output, so that its path may hold a key whatever its scheme.
    """
    kind = _KIND.match(address)
    if kind:
        return kind[0] + mask_address(address[kind.end() :], sent_to=sent_to)
    first, space, rest = address.partition(" ")
    parts = _ADDRESS.fullmatch(_LOOSE_LOGIN.sub(f"{HIDDEN}@", first))
    if parts is None:
        return _SECRET.sub(rf"\1={HIDDEN}", address)
    scheme, login = parts["scheme"], f"{HIDDEN}@" if parts["login"] else ""
    path = parts["path"]
    if sent_to or scheme.lower() not in _PATH_IS_PUBLIC:
        application, slash, key = path[1:].partition("/")
        hidden = _LOOKS_LIKE_A_KEY.fullmatch(application) is not None
        example = (login, parts["host"], key) == ("", "host", "key")  # in our own messages
        shown = key if example or not key else HIDDEN
        path = path[:1] + (HIDDEN if hidden else application) + slash + shown
    query = re.sub(r"([?&#;])([^=&#;]*)(=?)([^&]*)", _masked_value, parts["query"])
    colon = ":" if first[len(scheme) : len(scheme) + 1] == ":" else ""
    found = f"{scheme}{colon}{parts['slashes']}{login}{parts['host']}{path}{query}"
    return found + space + (_SECRET.sub(rf"\1={HIDDEN}", rest) if space else "")


def mask_text(text: str) -> str:
    """A text, such as a library's message, with every address in it masked, and every value that is named a secret."""
    if "/" not in text and "=" not in text:
        return text
    return _SECRET.sub(rf"\1={HIDDEN}", _IN_TEXT.sub(_masked_inside, text))


def _masked_inside(found: re.Match[str]) -> str:
    address = found[0].rstrip(".,:;)")  # these end a clause more often than an address
    return mask_address(address) + found[0][len(address) :]


def _masked_value(found: re.Match[str]) -> str:
    separator, name, equals, value = found.groups()
    if not equals:
        return separator + (HIDDEN if name else "")
    harmless = name.lower() in _HARMLESS and re.fullmatch(r"[\w.+-]*", value)
    return f"{separator}{name}={value if harmless else HIDDEN}"
