"""A network stream: RTMP (Twitch, YouTube and their like), SRT or UDP."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, cast
from urllib.parse import unquote

import av

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.masking import mask_address
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.video.addresses import SCHEMES, is_stream_url
from livefilter.output.video.encoders import FLV, MPEG_TS
from livefilter.output.video.muxer import Muxer
from livefilter.output.video.relay import Relay, RelayFailed, python_relay

_log = logging.getLogger(__name__)

_ADDRESS = re.compile(
    r"(?P<scheme>\w+)://(?:[^/?#]*@)?(?P<host>\[[^\]]+\]|[^/?#:]+)?(?::(?P<port>\d+))?(?P<path>/[^?#]*)?", re.I
)
# One datagram of empty MPEG-TS packets: ffmpeg connects only after it has read something.
_FILLER = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 7
_NO_PROTOCOL = "Protocol not found"


class StreamSink(Sink):
    """Streams H.264 with the sound of `options.media`: RTMP as FLV, SRT and UDP as MPEG-TS.

    Low delay before small size: no frame is held back, and a viewer who joins waits at most two seconds for a picture.
    Keys and passwords never appear in names, messages or logs. The connection lives in a process of its own.
    target: the address, such as rtmp://host/app/key, srt://host:9000?passphrase=... or udp://host:5000.
    """

    slow = True
    comes_back = True

    def __init__(self, target: str, options: SinkOptions) -> None:
        self._where = mask_address(target)
        scheme = _scheme(target)
        self.name = f"stream {self._where}"
        self._closed = False
        self._failed = False
        self._relay = self._connect(target)
        try:
            # PyAV takes anything that can be written to.
            self._muxer = Muxer(cast(BinaryIO, self._relay), FLV if scheme.startswith("rtmp") else MPEG_TS, options)
        except BaseException as error:
            self._relay.kill()
            if isinstance(error, av.FFmpegError | OSError | ValueError):
                raise SinkUnavailable(f"Cannot stream to {self._where}: {_reason(error)}.") from error
            raise

    def send(self, frame: Frame) -> None:
        """Encode and queue one frame.

        Raises: SinkLost: the server or the network went away; opening the same address again may help.
        """
        if self._failed or self._closed:
            raise SinkLost(f"The stream to {self._where} has ended. Start it again.")
        try:
            self._muxer.write(frame)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._fail(error) from None

    def close(self) -> None:
        """Send what waits, for about a second at most, and hang up. Can be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._failed:
            return
        try:
            self._muxer.finish()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._fail(error) from None
        self._relay.close()

    def _connect(self, target: str) -> Relay:
        # The cause is not chained: a library's message may hold the address with its key.
        try:
            return Relay(python_relay(), f"{target}\n".encode())
        except RelayFailed as error:
            reason = str(error)
        if _NO_PROTOCOL in reason:
            return self._connect_by_ffmpeg(target)
        raise SinkUnavailable(self._cannot(reason, "Check the address and the key, and that the server is running."))

    def _connect_by_ffmpeg(self, target: str) -> Relay:
        """For SRT, which the libav inside PyAV may have been built without."""
        scheme = _scheme(target)
        ffmpeg = shutil.which("ffmpeg")
        fix = "Install ffmpeg with SRT (apt install ffmpeg, brew install ffmpeg or winget install ffmpeg), or use rtmp."
        if ffmpeg is None:
            raise SinkUnavailable(self._cannot(f"this PyAV was built without {scheme}", fix))
        _log.warning("This PyAV was built without %s: %s carries the stream.", scheme, PurePosixPath(ffmpeg).name)
        command = [ffmpeg, "-hide_banner", "-nostats", "-probesize", "32", "-analyzeduration", "0"]
        command += ["-f", "data", "-raw_packet_size", "1316", "-i", "pipe:0", "-map", "0", "-c", "copy"]
        address, secrets = _apart(target)
        with _preset(secrets) as preset:
            command += ["-flush_packets", "1", "-fpre", preset, "-f", "data", address]
            try:
                return Relay(command, _FILLER, opened="Stream mapping")
            except RelayFailed as error:
                reason = str(error).removeprefix(f"{address}: ")
        if _NO_PROTOCOL in reason:
            raise SinkUnavailable(self._cannot(f"neither PyAV nor ffmpeg here was built with {scheme}", fix))
        raise SinkUnavailable(self._cannot(reason, "Check the address, and that something listens there."))

    def _cannot(self, reason: str, fix: str) -> str:
        # libav says only this for a name that does not resolve and for an SRT peer that is not there.
        cause = "nobody answers there" if reason == "Input/output error" else reason.rstrip(".")
        return f"Cannot stream to {self._where}: {cause}. {fix}"

    def _fail(self, error: Exception) -> SinkLost:
        self._failed = True
        self._relay.kill()
        self._muxer.abandon()
        return SinkLost(
            f"The stream to {self._where} broke off: {_reason(error)}. Check the network, and start it again."
        )


def _apart(target: str) -> tuple[str, dict[str, str]]:
    """An SRT address without its secrets, and those, as ffmpeg's options."""
    address, _, query = target.partition("?")
    kept, secrets = [], {}
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        if name in ("passphrase", "streamid", "srt_streamid"):
            secrets[name] = unquote(value) if name != "passphrase" else value  # libsrt's own reading
        else:
            kept.append(part)
    return address + ("?" + "&".join(kept) if kept else ""), secrets


@contextlib.contextmanager
def _preset(options: dict[str, str]) -> Iterator[str]:
    """A file of options that only the owner can read: everybody on the machine can read a process's arguments."""
    file, name = tempfile.mkstemp(suffix=".ffpreset")
    try:
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.writelines(f"{key}={value}\n" for key, value in options.items())
        yield name
    finally:
        os.unlink(name)


def _scheme(target: str) -> str:
    parts = _ADDRESS.match(target)
    if parts is None or not is_stream_url(target):
        raise InvalidInput(
            f"Cannot stream to {mask_address(target)}: the address must start with {', '.join(SCHEMES)}."
        )
    scheme = str(parts["scheme"]).lower()
    example = {"srt": "srt://host:9000", "udp": "udp://host:5000"}.get(scheme, f"{scheme}://host/app/key")
    if not parts["host"] and not (scheme == "srt" and parts["port"]):
        raise InvalidInput(f"Cannot stream to {mask_address(target)}: it names no host; write it as {example}.")
    if parts["port"] and not 0 < int(parts["port"]) < 65536:
        raise InvalidInput(f"Cannot stream to {mask_address(target)}: port {parts['port']} is not from 1 to 65535.")
    if scheme in ("srt", "udp") and not parts["port"]:
        raise InvalidInput(f"Cannot stream to {mask_address(target)}: it names no port; write it as {example}.")
    if scheme.startswith("rtmp") and len(str(parts["path"] or "")) < 2:
        raise InvalidInput(f"Cannot stream to {mask_address(target)}: it names no application; write it as {example}.")
    return scheme


def _reason(error: BaseException) -> str:
    if isinstance(error, RelayFailed):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__
