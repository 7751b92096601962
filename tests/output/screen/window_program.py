"""A program with a preview window, steered by lines on stdin: Qt, once loaded, ends its process with its display."""

from __future__ import annotations

import queue
import sys
import threading

from livefilter.output.base import SinkOptions
from livefilter.output.screen.window import WindowSink
from tests.conftest import frame


def main(width: int, height: int) -> None:
    """Open the window, then obey: "frame N", "mirror", "help LINE", "close", "end"; say every key."""
    sink = WindowSink("", SinkOptions(width, height, 30.0))
    orders: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            orders.put(line.strip())

    threading.Thread(target=listen, daemon=True).start()
    say("open")
    while True:
        for key in sink.pump(20):
            say(f"key {key}")
        try:
            verb, _, rest = orders.get_nowait().partition(" ")
        except queue.Empty:
            continue
        if verb == "frame":
            # From another thread, as the pipeline does it.
            sender = threading.Thread(target=sink.send, args=(frame(width, height, int(rest)),))
            sender.start()
            sender.join()
        elif verb == "mirror":
            sink.mirror = not sink.mirror
        elif verb == "help":
            sink.overlay_lines = [rest] if rest else []
        elif verb == "close":
            sink.close()
            sink.close()
        elif verb == "end":
            return
        say(f"done {verb}")


def say(line: str) -> None:
    """Tell the test at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
