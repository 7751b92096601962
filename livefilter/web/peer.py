"""Which user of this computer is at the other end of a connection, where Linux tells."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def is_own_user(peer: Any, here: Any) -> bool:
    """Whether the other end of a loopback connection is ours or root's; True where the system does not tell.

    peer, here: addresses of the two ends, as sockets give them.
    """
    if not sys.platform.startswith("linux"):
        return True
    try:
        wanted = (_key(peer), _key(here))
        tables = [Path(table).read_text(encoding="ascii") for table in _TABLES if Path(table).exists()]
    except (OSError, ValueError, TypeError):
        return True
    known = False
    for line in (line for table in tables for line in table.splitlines()[1:]):
        fields = line.split()
        try:
            ends = (_parsed(fields[1]), _parsed(fields[2]))
        except (IndexError, ValueError):
            continue
        known = known or ends == wanted[::-1]
        if ends == wanted:
            owner, inode = int(fields[7]), int(fields[9])
            # An end that was closed already has no inode, and says 0 for its owner.
            return owner in (os.geteuid(), 0) and inode != 0
    # Our own end is in the table and the other one is not: whoever it was has gone.
    return not known


def _key(address: Any) -> tuple[str, int]:
    return _plain(ipaddress.ip_address(str(address[0]).partition("%")[0])), int(address[1])


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _parsed(text: str) -> tuple[str, int]:
    """An address as the kernel prints it: words of 32 bits in the machine's own byte order, and a port."""
    host, _, port = text.partition(":")
    words = [int(host[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(host), 8)]
    return _plain(ipaddress.ip_address(b"".join(words))), int(port, 16)
