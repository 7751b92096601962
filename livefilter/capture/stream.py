"""A network stream: RTSP, RTMP, SRT, HTTP, UDP."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from av.error import ExitError, FFmpegError, HTTPError, ProtocolNotFoundError

from livefilter.capture.addresses import is_url
from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.video_reader import VideoReader
from livefilter.capture.web_pictures import NoPictures, WebPicturesSource
from livefilter.errors import EndOfStream, InvalidInput, SourceError, SourceLost, SourceUnavailable
from livefilter.frame import Frame
from livefilter.letterbox import letterboxed
from livefilter.mailbox import Mailbox, MailboxClosed
from livefilter.masking import mask_address, mask_text

_log = logging.getLogger(__name__)
_OPEN_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 3.0
_ARRIVED_LATE_S = 0.001  # a packet that took this long was not waiting for us: we are level with the sender
_FAR_BEHIND_S = 2.0
_LEVEL_S = 0.3
_UNDECODED_S = 20.0  # twice the longest distance of key frames that is in use
# A stream that was readable and of which every single packet is damaged for so long is in another codec now.
_DAMAGED_S, _DAMAGED = 3.0, 25

# A stream is joined with little analysis, and its start is kept: the mailbox skips what has queued up, while dropping
# it (fflags nobuffer) would also drop the key frame and cost the wait for the next one.
_OPTIONS = {"analyzeduration": "2000000", "probesize": "2000000"}
_OPTIONS_OF = {
    "rtsp": {"rtsp_transport": "tcp", "max_delay": "200000"},
    "rtsps": {"rtsp_transport": "tcp", "max_delay": "200000"},
    "udp": {"overrun_nonfatal": "1"},
    "rtmp": {"rtmp_live": "live"},
}


def open_stream(target: str, options: SourceOptions) -> Source:
    """Open an address: what FFmpeg plays, or else the pictures of a web server that FFmpeg cannot follow.

    Raises: InvalidInput (not an address), SourceUnavailable (no answer, no picture).
    """
    on_web = target.partition(":")[0].lower() in ("http", "https")
    try:
        source: Source = StreamSource(target, options)
    except SourceUnavailable:
        if not on_web:
            raise
        try:
            return WebPicturesSource(target, options)
        except (NoPictures, SourceUnavailable):
            pass  # what FFmpeg said of it says more
        raise
    if on_web and getattr(source, "is_still", False):
        source.close()
        return WebPicturesSource(target, options, still=True)
    return source


class _Undecodable(SourceLost):
    """Packets come, but no picture comes of them."""


class StreamSource(Source):
    """The newest picture of a network stream: delay never builds up, because older ones are dropped.

    A thread of its own decodes, so that the network can neither hold up a reader who wants to stop nor wait for one.
    target: an address; passwords in it are never shown. A file on a web server (it has a length) is no live stream:
    it gives every frame with its `media_s`, at any pace, and ends with EndOfStream.
    is_still: what came is a single picture.
    Raises on construction: InvalidInput (not an address), SourceUnavailable (no answer, no picture).
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        if not is_url(target):
            raise InvalidInput(
                f"{target!r} is no stream address: it should look like rtsp://host/path or http://host/."
            )
        self._name = f"stream {mask_address(target)}"
        scheme, _, rest = target.partition(":")
        target, scheme = f"{scheme.lower()}:{rest}", scheme.lower()  # FFmpeg knows its protocols in small letters
        self._open_timeout_s = options.open_timeout_s or _OPEN_TIMEOUT_S
        self._reader = self._open(target, scheme)
        self._until_key_frame = False
        self._level_at = time.perf_counter()
        self._ready: list[Any] = []
        try:
            # HLS comes in bursts of seconds, a file as fast as it is read: both must be played by their time stamps.
            kind = self._reader.container.format.name
            self.is_still = kind.endswith("_pipe")
            on_web = scheme in ("http", "https")
            self._finite = on_web and bool(self._reader.duration_s)
            live = not self._finite and not (on_web and ("hls" in kind or "dash" in kind))
            first = self._first()
            image = self._reader.image(first)
        except BaseException:
            self._reader.close()
            raise
        self._ready.insert(0, first)
        self._number = 0
        self._start_s: float | None = None
        self._failure: SourceError | None = None
        self._newest: Mailbox[tuple[Any, float]] | None = Mailbox() if live else None
        self.info = SourceInfo(self._name, image.shape[1], image.shape[0], self._reader.fps, live=live)
        # The decoding thread closes the reader itself when it ends.
        self._lease = Lease(self._name, (lambda: None) if live else self._reader.close)
        if self._newest is not None:
            pump = threading.Thread(target=self._pump, args=(self._newest,), name="stream decoder", daemon=True)
            pump.start()

    def read(self) -> Frame:
        with self._lease:
            decoded, captured_at = self._take()
            image = letterboxed(self._reader.image(decoded), self.info.width, self.info.height)
            frame = Frame(image, self._number, captured_at, None if self.info.live else self._time_of(decoded))
            self._number += 1
            return frame

    def close(self) -> None:
        self._lease.close()
        if self._newest is not None:
            self._newest.close()

    def _take(self) -> tuple[Any, float]:
        if self._newest is None:
            return self._next(), time.perf_counter()
        try:
            taken = self._newest.get()
            if taken is not None:
                return taken
        except MailboxClosed:
            self._lease.wait(0)
            raise self._failure or SourceLost(f"{self._name} broke off.") from None
        raise SourceLost(f"{self._name} gave nothing.")

    def _pump(self, newest: Mailbox[tuple[Any, float]]) -> None:
        """Decode until the stream ends or the source is closed, keeping only the newest frame."""
        try:
            while True:
                newest.put((self._next(), time.perf_counter()))
        except MailboxClosed:
            pass
        except SourceError as error:
            self._failure = error
        except Exception as error:
            _log.exception("%s", self._name)
            self._failure = SourceLost(f"{self._name} broke off: {error}.")
        finally:
            newest.close()
            self._reader.close()

    def _open(self, target: str, scheme: str) -> VideoReader:
        try:
            return VideoReader(
                target,
                self._name,
                options=_OPTIONS | _OPTIONS_OF.get(scheme, {}),
                timeout=(self._open_timeout_s, _READ_TIMEOUT_S),
                low_delay=True,
            )
        except ProtocolNotFoundError as error:
            raise SourceUnavailable(
                f"Cannot open {self._name}: PyAV's ready-made packages do not speak {scheme}. Build PyAV against an "
                f"FFmpeg that does, or relay: ffmpeg -i {scheme}://... -c copy -f mpegts "
                "'udp://127.0.0.1:5000?pkt_size=1316' and use --input udp://127.0.0.1:5000"
            ) from error
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceUnavailable(
                f"Cannot open {self._name}: {_reason(error, self._open_timeout_s)}. "
                "Check the address and that the sender is running."
            ) from error
        except InvalidInput as error:
            raise SourceUnavailable(str(error)) from error

    def _first(self) -> Any:
        # In a multipart stream every part stands for itself: three that cannot be decoded are enough to know.
        patience = 3 if self._reader.container.format.name == "mpjpeg" else None
        try:
            return self._next(self._open_timeout_s, patience)
        except _Undecodable as error:
            raise SourceUnavailable(
                f"{self._name} sends, but nothing that could be decoded within {self._open_timeout_s:g} s. "
                "Check the sender's format; H.264 and JPEG are safe."
            ) from error
        except SourceError as error:
            raise SourceUnavailable(f"{self._name} answers but sends no picture. Is the sender running?") from error

    def _next(self, patience_s: float = _UNDECODED_S, patience: int | None = None) -> Any:
        """The next decoded frame.

        patience_s, patience: how long, and for how many damaged frames, packets may come without one.
        Raises: SourceLost, EndOfStream.
        """
        begun = time.perf_counter()
        before = self._reader.skipped
        packets = 0
        while not self._ready:
            self._ready = self._decoded()
            packets += 1
            damaged = self._reader.skipped - before
            waited_s = time.perf_counter() - begun
            other = damaged == packets >= _DAMAGED and waited_s >= min(_DAMAGED_S, patience_s)
            if not self._ready and (other or waited_s >= patience_s or (patience is not None and damaged >= patience)):
                raise _Undecodable(f"{self._name} sends only what cannot be decoded.")
        return self._ready.pop(0)

    def _decoded(self) -> list[Any]:
        try:
            packet = self._reader.next_packet()
        except FFmpegError as error:
            raise SourceLost(f"{self._name} broke off: {_reason(error, _READ_TIMEOUT_S)}.") from error
        if packet is None:
            if self._finite:
                raise EndOfStream(f"{self._name} is at its end.")
            raise SourceLost(f"{self._name} was ended by its sender.")
        return [] if self._skips(packet) else self._reader.decode(packet)

    def _skips(self, packet: Any) -> bool:
        """Whether decoding is so far behind the sender that this packet is better left out."""
        now = time.perf_counter()
        if self._reader.packet_wait_s > _ARRIVED_LATE_S:
            self._level_at = now
        if self._finite or (not self._until_key_frame and now - self._level_at < _FAR_BEHIND_S):
            return False
        if not self._until_key_frame:
            _log.warning("%s comes faster than this machine decodes it: skipping to its newest key frame", self._name)
        # Packets cost nothing when they are not decoded, and a key frame needs none of those before it.
        self._until_key_frame = not (packet.is_keyframe and now - self._level_at < _LEVEL_S)
        return self._until_key_frame

    def _time_of(self, decoded: Any) -> float:
        if decoded.pts is None or decoded.time_base is None:
            return self._number / self.info.fps
        at = float(decoded.pts * decoded.time_base)
        if self._start_s is None:
            self._start_s = at if self._reader.start_s is None else self._reader.start_s
        return max(0.0, at - self._start_s)


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, ExitError):  # PyAV's own timeouts interrupt FFmpeg, which then reports just that
        return f"no answer within {timeout_s:g} s"
    text = str(getattr(error, "strerror", None) or error)
    return f"the server said {text}" if isinstance(error, HTTPError) else mask_text(text)
