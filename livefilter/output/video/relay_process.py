"""Carries bytes from standard input to a network address; run as a program by `Relay`.

It is a process of its own because libav connects with Python's interpreter locked: a server that does not answer would
otherwise freeze every thread of a live run. The first line of input is the address, which is not an argument because
arguments can be read by everybody on the machine. Says "open" once it is connected, or "error: " and why not.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # The folder of this file holds modules named like parts of libraries.
    del sys.path[0]

import io
import signal
from typing import cast

import av

# Seven packets of MPEG-TS, which fit one network packet.
_DATAGRAM = 1316


def main() -> int:
    """Run until the input ends; 1 after an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process too; whoever started it decides
    source = cast(io.BufferedReader, sys.stdin.buffer)
    url = source.readline().decode().strip()
    packets = url.startswith(("udp:", "srt:"))
    if url.startswith("udp:") and "pkt_size=" not in url:
        url += f"{'&' if '?' in url else '?'}pkt_size={_DATAGRAM}"
    try:
        with av.open(url, "w", format="data") as target:
            stream = target.add_data_stream()
            target.start_encoding()
            _say("open")
            count, rest = 0, b""
            while piece := source.read1(1 << 16):
                rest += piece
                # Whole datagrams, except what a writer ended on: nothing may wait for the next picture.
                usable = len(rest) - len(rest) % 188 if packets else len(rest)
                if not usable:
                    continue
                packet = av.Packet(rest[:usable])
                rest = rest[usable:]
                packet.stream, packet.pts, packet.dts = stream, count, count
                count += 1
                target.mux(packet)
    except (av.FFmpegError, OSError, ValueError) as error:
        _say(f"error: {getattr(error, 'strerror', None) or type(error).__name__}")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
