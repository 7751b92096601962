"""Something to film and to hear: a screen that flashes and a microphone that beeps at the same moments.

By hand, on a display and a PulseAudio server of its own:
    python -m tests.obs.flash_and_beep DISPLAY PULSE_SERVER SINK SECONDS
prints when each flash was seen and each beep was heard.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import random
import subprocess
import sys
import threading
import time
from abc import abstractmethod

import numpy as np

from livefilter.closeable import Closeable

RATE = 48000
_FLASH_S = 0.4
_BEEP_S = 0.1
_LOUD = 0.2


class Light(Closeable):
    """What can be dark or bright."""

    @abstractmethod
    def show(self, *, bright: bool) -> float:
        """Become dark or bright. Returns: when it was done, in `time.perf_counter()` seconds."""


class Screen(Light):
    """The whole of an X display, dark or bright. Raises: OSError: there is no such display."""

    def __init__(self, display: str) -> None:
        self._x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        connection = self._x11.XOpenDisplay(display.encode())
        if not connection:
            raise OSError(f"no display {display}")
        self._display = ctypes.c_void_p(connection)
        self._root = ctypes.c_ulong(self._x11.XDefaultRootWindow(self._display))
        self.show(bright=False)

    def show(self, *, bright: bool) -> float:
        """Fill it. Returns: when it was done, in `time.perf_counter()` seconds."""
        level = 0xF0F0F0 if bright else 0x202020
        self._x11.XSetWindowBackground(self._display, self._root, ctypes.c_ulong(level))
        self._x11.XClearWindow(self._display, self._root)
        self._x11.XSync(self._display, False)
        return time.perf_counter()

    def close(self) -> None:
        """Leave the display. Can be called twice."""
        display, self._display = self._display, ctypes.c_void_p(None)
        if display.value:
            self._x11.XCloseDisplay(display)


class FlashAndBeep(Closeable):
    """Flashes and beeps from construction to `close`, each time after a pause that is never the same.

    light: what flashes; closed with it. server, sink: the PulseAudio sink whose monitor is the microphone.
    flashes, beeps: when each was there, in `time.perf_counter()` seconds; beeps as a recorder hears them.
    """

    def __init__(self, light: Light, server: str, sink: str = "mic", seed: int = 1, every_s: float = 1.6) -> None:
        self.flashes: list[float] = []
        self.beeps: list[float] = []
        self._random, self._every_s = random.Random(seed), every_s
        self._light = light
        shape = ["--server", server, "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=10"]
        self._player = subprocess.Popen(["pacat", "--playback", f"--device={sink}", *shape], stdin=subprocess.PIPE)
        self._recorder = subprocess.Popen(
            ["pacat", "--record", f"--device={sink}.monitor", *shape], stdout=subprocess.PIPE
        )
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._flash)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End it. Can be called twice."""
        self._closing.set()
        for process in (self._player, self._recorder):
            process.terminate()
            process.wait(10)
        for thread in self._threads:
            thread.join(10)
        self._light.close()

    def _flash(self) -> None:
        """Show each flash; its beep is written at once, alone: what plays all the time would fall behind for good."""
        assert self._player.stdin is not None
        tone = np.sin(2 * np.pi * 1000 * np.arange(round(RATE * _BEEP_S)) / RATE) * 24000
        with contextlib.suppress(OSError):
            while not self._closing.wait(self._every_s * self._random.uniform(0.8, 1.2)):
                self._player.stdin.write(tone.astype("<i2").tobytes())
                self._player.stdin.flush()
                self.flashes.append(self._light.show(bright=True))
                self._closing.wait(_FLASH_S)
                self._light.show(bright=False)

    def _hear(self) -> None:
        assert self._recorder.stdout is not None
        quiet_since = 0.0
        while True:
            data = self._recorder.stdout.read1(4096)  # type: ignore[attr-defined]
            now = time.perf_counter()
            if not data:
                return
            samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768
            loud = np.flatnonzero(np.abs(samples) > _LOUD)
            if loud.size:
                if now - quiet_since > 0.3:
                    self.beeps.append(now - (len(samples) - loud[0]) / RATE)
                quiet_since = now


def main() -> None:
    """Flash and beep for a while, and print when."""
    display, server, sink, seconds = sys.argv[1:5]
    with FlashAndBeep(Screen(display), server, sink) as both:
        time.sleep(float(seconds))
    for flash, beep in zip(both.flashes, both.beeps, strict=False):
        sys.stdout.write(f"{flash:.4f} {beep:.4f} {(beep - flash) * 1000:.1f} ms\n")


if __name__ == "__main__":
    main()
