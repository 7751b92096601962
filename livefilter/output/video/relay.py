"""A file-like way to a network address that can never stop the program."""

from __future__ import annotations

import contextlib
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_log = logging.getLogger(__name__)

# Sent but not yet taken by the network: pieces of at most 32 KiB, so a few seconds of video.
_WAITING_PIECES = 256
_STALL_S = 5.0
_ANSWER_S = 4.5
_DRAIN_S = 1.0


class RelayFailed(OSError):
    """The address cannot be reached any more; the text says why."""


class Relay:
    """Writes to a network address through a process of its own, which can be ended whatever the network does.

    It is usable as a file to write: `write` waits only when several seconds of video wait already.
    command: runs the carrier; it reads bytes and says "open" or "error: ..." on a line of its own.
    first: bytes to send to it before everything else.
    Raises on construction: RelayFailed: not connected within `timeout_s` (None: 4.5 s).
    """

    def __init__(
        self,
        command: Sequence[str],
        first: bytes,
        *,
        opened: str = "open",
        timeout_s: float | None = None,
        stall_s: float = _STALL_S,
    ) -> None:
        timeout_s = _ANSWER_S if timeout_s is None else timeout_s
        self._stall_s = stall_s
        self._opened = opened
        self._said: str | None = None
        self._spoke = threading.Event()
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_WAITING_PIECES)
        self.closed = False
        # Out of reach of the terminal's Ctrl-C, so that the end of the stream can still be sent.
        apart = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        # Two pipes merged into one: the command-line ffmpeg speaks on its error output.
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=apart,
            start_new_session=True,
        )
        self._threads = [
            threading.Thread(target=self._listen, name="stream-status", daemon=True),
            threading.Thread(target=self._carry, name="stream-writer", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        try:
            if first:
                self.write(first)
            if not self._spoke.wait(timeout_s):
                raise RelayFailed(f"it did not answer within {timeout_s + 0.5:.0f} seconds")
            self._check()
        except BaseException:
            self.kill()
            raise

    def write(self, data: bytes) -> int:
        """Queue bytes.

        Raises: RelayFailed: the connection is gone, or has taken nothing for several seconds.
        """
        deadline = time.monotonic() + self._stall_s
        while True:
            self._check()
            try:
                self._pieces.put(bytes(data), timeout=0.1)
                return len(data)
            except queue.Full:
                if time.monotonic() > deadline:
                    raise RelayFailed(f"it has taken nothing for {self._stall_s:.0f} seconds") from None

    def close(self) -> None:
        """Send what waits, for a second at most, and end the process. Can be called twice."""
        if self.closed:
            return
        try:
            self._pieces.put(None, timeout=_DRAIN_S)
            self._process.wait(_DRAIN_S)
        except (queue.Full, subprocess.TimeoutExpired):
            _log.debug("The network did not take the end of the stream in time")
        self.kill()

    def kill(self) -> None:
        """End the process at once. Can be called twice."""
        self.closed = True
        self._process.kill()
        self._process.wait(5.0)
        with contextlib.suppress(queue.Full):
            self._pieces.put_nowait(None)  # wakes the writer; one with a full queue is not asleep
        for thread in self._threads:
            thread.join(2.0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _check(self) -> None:
        if self.closed:
            raise RelayFailed("it is closed")
        if self._said is not None:
            raise RelayFailed(self._said)

    def _listen(self) -> None:
        """Wait for the process to say that it is connected, and then for its end."""
        last = ""
        for line in self._process.stdout or ():
            text = line.decode(errors="replace").strip()
            if text.startswith(self._opened):
                self._spoke.set()
            elif text:
                last = text
        self._said = last.removeprefix("error: ") or "the connection ended"
        self._spoke.set()

    def _carry(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            while (piece := self._pieces.get()) is not None:
                pipe.write(piece)
                if self._pieces.empty():
                    pipe.flush()
            pipe.close()
        except (OSError, ValueError):
            return  # the process ended; what it said is in _said


def python_relay() -> list[str]:
    """The command that carries bytes with the libav of this Python."""
    return [sys.executable, str(Path(__file__).with_name("relay_process.py"))]
