"""A file played by the clock."""

from __future__ import annotations

import logging
import time

from livefilter.capture.base import Source
from livefilter.capture.lease import Lease
from livefilter.frame import Frame

_log = logging.getLogger(__name__)
_STALL_S = 1.0  # later than this the source stood still, and playing on from here is better than skipping
_LONGEST_GAP_S = 0.1
_SAY_AGAIN_S = 60.0  # on a machine that is too slow for the file it happens all the time


class PacedSource(Source):
    """Plays a source that cannot keep time itself at its own rate; what comes too late is dropped.

    A frame's `captured_at` is the moment at which it was due. The source is closed with this one.
    """

    def __init__(self, source: Source) -> None:
        self.info = source.info
        self.dropped = 0
        self._source = source
        self._number = 0
        self._start: float | None = None
        self._delivered_at = 0.0
        self._said_at = -_SAY_AGAIN_S
        self._lease = Lease(source.info.name, source.close)

    def read(self) -> Frame:
        with self._lease:
            while True:
                frame = self._source.read()
                media_s = frame.media_s if frame.media_s is not None else frame.number / self.info.fps
                due = self._due(media_s)
                now = time.perf_counter()
                if due > now:
                    self._lease.wait(due - now)
                elif self._is_too_late(now - due, now):
                    self.dropped += 1
                    continue
                self._delivered_at = time.perf_counter()
                self._number += 1
                return Frame(frame.image, self._number - 1, due, frame.media_s)

    def close(self) -> None:
        self._lease.close()

    def _due(self, media_s: float) -> float:
        now = time.perf_counter()
        if self._start is None:
            self._start = now - media_s
        late_s = now - self._start - media_s
        if late_s > _STALL_S:
            quiet = now - self._said_at < _SAY_AGAIN_S
            self._said_at = self._said_at if quiet else now
            _log.log(
                logging.DEBUG if quiet else logging.WARNING,
                "%s is %.1f s late: playing on from there",
                self.info.name,
                late_s,
            )
            self._start += late_s
        return self._start + media_s

    def _is_too_late(self, late_s: float, now: float) -> bool:
        # A source that is slower than its own rate still shows some frames instead of none.
        return late_s > 1.0 / self.info.fps and now - self._delivered_at < _LONGEST_GAP_S
