"""Which cluster is meant, and whether it lies where it may be trusted."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from livefilter.errors import ClusterUnavailable, InvalidInput

_ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):(?P<port>\d{1,5})/?")
WORDS = ("auto", "local")


def check_words(words: str) -> str:
    """What a user wrote after --cluster: auto, local, ray://HOST:PORT or HOST:PORT.

    Raises: InvalidInput.
    """
    matched = _ADDRESS.fullmatch(words)
    if words in WORDS or (matched and 0 < int(matched["port"]) < 65536):
        return words
    raise InvalidInput(f"--cluster {words!r} must be auto, local, HOST:PORT or ray://HOST:PORT.")


def host_of(address: str) -> str:
    """The host of HOST:PORT or ray://HOST:PORT."""
    matched = _ADDRESS.fullmatch(address)
    return matched["host"].strip("[]") if matched else address


def is_private(host: str) -> bool:
    """Whether all addresses of a host lie in networks that the internet does not reach.

    Raises: ClusterUnavailable: nobody knows the host.
    """
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as error:
        raise ClusterUnavailable(f"There is no machine {host}: {error}. Check the name after --cluster.") from error
    return all(_is_private(text) for text in found)


def refuse_public(hosts: Iterable[str], *, trusted: bool) -> None:
    """Refuse machines that anybody on the internet could reach, unless the user says that the network is trusted.

    Raises: ClusterUnavailable: names the address and what to do.
    """
    if trusted:
        return
    for host in hosts:
        if not is_private(host):
            raise ClusterUnavailable(
                f"{host} is a public address: what Ray sends there is not encrypted. Put the machines into a private "
                "network or a VPN, or take the risk with --trust-network."
            )


def _is_private(text: str) -> bool:
    # RFC 6598's range lies behind a carrier's translation and is shared by its customers; VPNs use it as well.
    address = ipaddress.ip_address(text.split("%")[0])
    return address.is_private or address.is_loopback or address.is_link_local
