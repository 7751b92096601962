"""Pictures from a web server: a multipart stream of a small camera, or a still picture that is asked for again."""

from __future__ import annotations

import logging
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import cv2
import numpy as np

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.errors import SourceError, SourceLost, SourceUnavailable
from livefilter.frame import Frame, Image
from livefilter.letterbox import letterboxed
from livefilter.mailbox import Mailbox, MailboxClosed
from livefilter.masking import mask_address, mask_text

_log = logging.getLogger(__name__)
_OPEN_TIMEOUT_S = 5.0
_STILLS_PER_S = 5.0
_RATE = 25.0  # nominal; what counts is when the pictures come
_LARGEST = 64 * 1024 * 1024
_LONGEST_LINE = 16 * 1024
_READ = 65536
_DAMAGED_IN_A_ROW = 50


class NoPictures(Exception):
    """The server answers with something else than pictures; a signal to whoever asked, not an error."""


class WebPicturesSource(Source):
    """The newest of the pictures (JPEG, PNG, WebP) that a web server sends; older ones are dropped.

    A multipart stream may lack its first boundary, and each part may have only a length or only a type. A still
    picture is asked for again five times a second.
    target: an http or https address; passwords in it are never shown. still: it is known to give one picture, whatever
    type the server names.
    Raises on construction: NoPictures; SourceUnavailable (no answer, nothing that can be decoded).
    """

    def __init__(self, target: str, options: SourceOptions, *, still: bool = False) -> None:
        self._name = f"stream {mask_address(target)}"
        self._timeout_s = options.open_timeout_s or _OPEN_TIMEOUT_S
        self._opener, self._address = _opener(target)
        self._closing = threading.Event()
        self._failure: SourceError | None = None
        answer = self._ask()
        try:
            kind = answer.headers.get_content_maintype()
            if kind not in ("multipart", "image") and not still:
                raise NoPictures(answer.headers.get_content_type())
            self._still = kind != "multipart"
            self._pictures = self._repeated(answer) if self._still else self._streamed(answer)
            first = self._first()
        except BaseException:
            answer.close()
            raise
        self._newest: Mailbox[tuple[bytes, float]] = Mailbox()
        self._number = 0
        self._damaged = 0
        fps = _STILLS_PER_S if self._still else _RATE
        self.info = SourceInfo(self._name, first.shape[1], first.shape[0], fps, live=True)
        self._lease = Lease(self._name, self._closing.set)
        threading.Thread(target=self._pump, name="web pictures", daemon=True).start()

    def read(self) -> Frame:
        with self._lease:
            while True:
                data, captured_at = self._take()
                image = _decoded(data)
                if image is not None:
                    break
                self._damaged += 1
                if self._damaged >= _DAMAGED_IN_A_ROW:
                    raise SourceLost(f"{self._name} sends pictures that cannot be decoded.")
            self._damaged = 0
            self._number += 1
            return Frame(letterboxed(image, self.info.width, self.info.height), self._number - 1, captured_at)

    def close(self) -> None:
        self._closing.set()
        self._lease.close()
        self._newest.close()

    def _take(self) -> tuple[bytes, float]:
        try:
            taken = self._newest.get()
        except MailboxClosed:
            taken = None
        if taken is None:
            self._lease.wait(0)
            raise self._failure or SourceLost(f"{self._name} broke off.")
        return taken

    def _pump(self) -> None:
        """Take pictures until the server ends or the source is closed; this thread alone owns the connection."""
        try:
            for data in self._pictures:
                if self._closing.is_set():
                    break
                self._newest.put((data, time.perf_counter()))
            else:
                self._failure = SourceLost(f"{self._name} was ended by its sender.")
        except MailboxClosed:
            pass
        except SourceUnavailable as error:
            self._failure = SourceLost(str(error))
        except (OSError, HTTPException, ValueError) as error:
            self._failure = SourceLost(f"{self._name} broke off: {_reason(error, self._timeout_s)}.")
        finally:
            self._newest.close()
            getattr(self._pictures, "close", lambda: None)()

    def _first(self) -> Image:
        until = time.monotonic() + self._timeout_s
        try:
            for data in self._pictures:
                image = _decoded(data)
                if image is not None:
                    return image
                if time.monotonic() >= until:
                    break
        except (OSError, HTTPException, ValueError) as error:
            reason = _reason(error, self._timeout_s)
            raise SourceUnavailable(f"{self._name} answers but sends no picture: {reason}.") from error
        raise SourceUnavailable(f"{self._name} answers but sends no picture that can be decoded.")

    def _ask(self) -> Any:
        try:
            return self._opener.open(self._address, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            raise SourceUnavailable(
                f"Cannot open {self._name}: the server said {error.code} {error.reason}. Check the address."
            ) from None
        except (OSError, HTTPException, ValueError) as error:
            raise SourceUnavailable(
                f"Cannot open {self._name}: {_reason(error, self._timeout_s)}. Check the address and that the sender "
                "is running."
            ) from None

    def _streamed(self, answer: Any) -> Iterator[bytes]:
        with answer:
            yield from parts(answer.read1, answer.headers.get_param("boundary") or "")

    def _repeated(self, answer: Any) -> Iterator[bytes]:
        while True:
            asked = time.monotonic()
            with answer:
                yield answer.read(_LARGEST)
            if self._closing.wait(max(0.0, asked + 1 / _STILLS_PER_S - time.monotonic())):
                return
            answer = self._ask()


def parts(read: Callable[[int], bytes], boundary: str) -> Iterator[bytes]:
    """The bodies of a multipart/x-mixed-replace stream, also of one that is not quite as RFC 2046 (5.1) has it.

    read: gives at most so many bytes, none at the end. boundary: as the header names it, with or without dashes.
    Raises: ValueError: this is no such stream.
    """
    mark = b"--" + boundary.strip('"').lstrip("-").encode("latin-1", "replace")
    held = bytearray()

    def more() -> bool:
        data = read(_READ)
        held.extend(data)
        if len(held) > _LARGEST:
            raise ValueError("a part of more than 64 MB")
        return bool(data)

    while True:
        length: int | None = None
        begun = False
        while True:  # lines up to the empty one behind a boundary or a header
            end = held.find(b"\n")
            if end < 0:
                if len(held) > _LONGEST_LINE:
                    raise ValueError("it is no multipart stream")
                if not more():
                    return
                continue
            line = bytes(held[:end]).strip()
            del held[: end + 1]
            if line:
                begun = True
                said = re.fullmatch(rb"content-length\s*:\s*(\d+)", line, re.IGNORECASE)
                length = int(said[1]) if said else length
            elif begun:
                break
        if length:
            if length > _LARGEST:
                raise ValueError("a part of more than 64 MB")
            while len(held) < length:
                if not more():
                    return
            body = bytes(held[:length])
            del held[:length]
        else:
            start = 0
            while (at := held.find(mark, start)) < 0:
                start = max(0, len(held) - len(mark))
                if not more():
                    return
            body = bytes(held[:at]).rstrip(b"\r\n-")
            del held[:at]
        if body:
            yield body


def _opener(target: str) -> tuple[urllib.request.OpenerDirector, str]:
    """What opens an address, and the address without the name and password in it."""
    parts_of = urlsplit(target)
    host = parts_of.netloc.rpartition("@")[2]
    address = urlunsplit(parts_of._replace(scheme=parts_of.scheme.lower(), netloc=host))
    handlers: list[urllib.request.BaseHandler] = []
    if parts_of.username:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, address, unquote(parts_of.username), unquote(parts_of.password or ""))
        handlers = [urllib.request.HTTPBasicAuthHandler(known), urllib.request.HTTPDigestAuthHandler(known)]
    return urllib.request.build_opener(*handlers), address


def _decoded(data: bytes) -> Image | None:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.ascontiguousarray(image, dtype=np.uint8)


def _reason(error: Exception, timeout_s: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    return mask_text(str(getattr(cause, "strerror", None) or cause or type(cause).__name__))
