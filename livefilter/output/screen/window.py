"""The preview window, drawn by OpenCV."""

from __future__ import annotations

import logging
import threading
import time

import cv2

from livefilter.errors import SinkLost, SinkUnavailable
from livefilter.frame import Frame, Image
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.card import holding_card
from livefilter.output.screen.display import no_windows, quieten_qt, screen_size
from livefilter.output.screen.overlay import draw_help, draw_label

_log = logging.getLogger(__name__)

TITLE = "livefilter"
MAX_WIDTH, MIN_WIDTH = 1280, 640
# Title bars and panels take the rest.
_SCREEN_SHARE = (0.94, 0.82)
# How long one look for keys may take, so that a patient `pump` still shows every frame.
_LOOK_MS = 10
_INSTEAD = "or leave the window out and watch the live page: --output page"


class WindowSink(Sink):
    """Shows the newest frame in a resizable window that keeps its shape, and hears the keys pressed there.

    target: unused.
    mirror: show the preview mirrored; the frame itself is left alone.
    overlay_lines: text for `draw_help` over the preview; none when empty.
    Raises: SinkUnavailable: there is no display, or OpenCV was built without windows.
    """

    main_thread = True

    def __init__(self, target: str, options: SinkOptions) -> None:
        reason = self.unavailable()
        if reason is not None:
            raise SinkUnavailable(reason)
        self.name = "preview window"
        self.mirror = False
        self.overlay_lines: list[str] = []
        self._newest: Frame | None = None
        self._shown: tuple[Frame | None, bool, list[str]] = (None, False, [])
        self._open = self._closed = False
        quieten_qt()
        self._size = _fit(options.width, options.height, screen_size())
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(TITLE, *self._size)
            cv2.imshow(TITLE, holding_card(*self._size, "One moment, please"))
        except cv2.error as error:
            raise SinkUnavailable(
                f"Preview window cannot open: {_cause(error)}. Check the display, {_INSTEAD}."
            ) from error
        self._open = True

    def send(self, frame: Frame) -> None:
        """Make `frame` the one that the next `pump` shows; any thread may call it, and it never waits.

        Raises: SinkLost: `close` was called. A window that the user has closed takes frames and shows none.
        """
        if self._closed:
            raise SinkLost("Preview window is closed, so it shows no more frames. Open it again.")
        self._newest = frame

    def pump(self, timeout_ms: int) -> list[str]:
        """Show the newest frames and collect the keys pressed within `timeout_ms`; on the main thread only.

        Returns: keys in order, as soon as there are any: "1".."9", letters in lower case, "[", "]", "space", "escape"
            and other printable characters; closing the window counts as "q", once.
        Raises: SinkLost: the window system has failed.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        if not self._open:
            threading.Event().wait(timeout_ms / 1000)  # no window, no keys; but the caller counts on the pause
            return []
        keys: list[str] = []
        try:
            while True:
                self._show()
                left_ms = int((deadline - time.monotonic()) * 1000)
                key = key_name(cv2.waitKeyEx(max(1, min(_LOOK_MS, left_ms))))
                if key is not None:
                    keys.append(key)
                if not _visible():
                    self._open = False
                    return [*keys, "q"]
                if keys or left_ms <= 0:
                    return keys
        except cv2.error as error:
            self._open = False
            raise SinkLost(
                f"Preview window has failed: {_cause(error)}. Start again without it: --output page."
            ) from error

    def close(self) -> None:
        """Remove the window; on the main thread only. Can be called twice."""
        self._closed = True
        if self._open:
            self._open = False
            try:
                cv2.destroyWindow(TITLE)
                cv2.waitKeyEx(1)  # the window system takes it away only when it is given time
            except cv2.error as error:
                _log.debug("The preview window was gone already: %s", error)
        self._newest, self._shown = None, (None, False, [])

    @classmethod
    def unavailable(cls) -> str | None:
        missing = no_windows()
        return None if missing is None else f"Preview window cannot open: {missing}, {_INSTEAD}."

    def _show(self) -> None:
        frame, mirror, lines = self._newest, self.mirror, self.overlay_lines
        if frame is self._shown[0] and (mirror, lines) == self._shown[1:]:
            return
        self._shown = (frame, mirror, list(lines))
        image = frame.image if frame is not None else holding_card(*self._size, "One moment, please")
        if mirror and frame is not None:
            image = cv2.flip(image, 1).astype(image.dtype, copy=False)
        if frame is not None and frame.mark:
            image = draw_label(image, frame.mark, "top-left")
        if lines:
            image = draw_help(_resized(image, self._size), lines)
        cv2.imshow(TITLE, image)


def key_name(code: int) -> str | None:
    """Our name of a key that OpenCV reports; None for keys without one, such as arrows and shift.

    code: as `cv2.waitKeyEx` returns it. The low 16 bits are the character; GTK puts modifiers above them. `waitKey`
        would cut them to 8 bits, and then the left arrow is a Q.
    """
    low = code & 0xFFFF if code > 0 else 0
    if low in (27, 0xFF1B):
        return "escape"
    if low == 32:
        return "space"
    return chr(low).lower() if 32 < low < 127 else None


def _fit(width: int, height: int, screen: tuple[int, int] | None) -> tuple[int, int]:
    """The size in pixels at which a window of this shape opens: not tiny, and within the screen."""
    most_wide, most_high = screen or (MAX_WIDTH, 800)
    most_wide, most_high = min(MAX_WIDTH, int(most_wide * _SCREEN_SHARE[0])), int(most_high * _SCREEN_SHARE[1])
    scale = min(max(1.0, MIN_WIDTH / width), most_wide / width, most_high / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    """`image` as large as the window opened: text over a tiny picture can be read, and over 4K it costs no more."""
    how = cv2.INTER_AREA if image.shape[1] > size[0] else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=how).astype(image.dtype, copy=False)


def _visible() -> bool:
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) > 0
    except cv2.error:  # closed and forgotten
        return False


def _cause(error: cv2.error) -> str:
    return " ".join(str(error).split()).rstrip(".")
