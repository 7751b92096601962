"""`livefilter wall`: many live streams at once."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.live import Live as LiveDisplay
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.errors import InvalidInput

_LOOK_EVERY_S = 0.25
_PORT = 8425


@click.command()
@click.argument("source", metavar="CONFIG.toml|status")
@click.option("--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True, help="Port of the API.")
@click.option("--lan", is_flag=True, help="Let others on the local network read it, with the token that is printed.")
def wall(source: str, port: int, lan: bool) -> int:
    """Run the streams of a file, each in a process of its own; `livefilter wall status` shows how they are.

    A stream that fails is started again alone. The API tells of all: /api/state, /api/meters, and /metrics for
    Prometheus. Each table [streams.NAME] of the file takes what `livefilter run` takes, over [defaults].
    """
    if source == "status":
        return _status(port)
    return _run(Path(source), port, lan)


def _status(port: int) -> int:
    from livefilter.web.client import Client

    client = Client(f"http://127.0.0.1:{port}", timeout_s=5.0)
    told = client.state().get("streams")
    if told is None:
        raise InvalidInput(f"No wall answers at port {port}: livefilter is there, but it is no wall. Name its --port.")
    print_table(open_console(), _table(told, client.meters()["streams"]))
    return 0 if all(stream["state"] in ("running", "ended") for stream in told) else 1


def _run(path: Path, port: int, lan: bool) -> int:
    from livefilter.output.page import lan_notice
    from livefilter.wall.config import read_wall
    from livefilter.wall.room import WallRoom
    from livefilter.wall.wall import Wall
    from livefilter.web.address import listen, parse_address, url_of
    from livefilter.web.server import WebServer

    plans = read_wall(path)
    host, number = parse_address(str(port), lan=lan)
    server = WebServer(listen(host, number), 1280, 720, lan=lan)
    console = open_console()
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Wall(plans) as streams:
            server.steer(WallRoom(streams))
            console.print(f"{len(plans)} streams. Metrics: {url_of(host, number)}metrics", soft_wrap=True)
            if lan:
                console.print(escape(lan_notice(server, number)), soft_wrap=True)
            with LiveDisplay(console=console, auto_refresh=False, transient=True) as display:
                while streams.look() and not ended.wait(_LOOK_EVERY_S):
                    if console.is_terminal:
                        display.update(_table(streams.state(), streams.meters()), refresh=True)
            told = streams.state()
            print_table(console, _table(told, streams.meters()))
    finally:
        server.close()
        for each, handler in before.items():
            signal.signal(each, handler)
    return 0 if ended.is_set() or all(stream["state"] == "ended" for stream in told) else 1


def _table(state: list[dict[str, Any]], meters: dict[str, dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("stream", "state", "style", "styled fps", "delay p95", "dropped", "restarts", "input", "trouble"):
        table.add_column(
            title, justify="right" if title in ("styled fps", "delay p95", "dropped", "restarts") else "left"
        )
    for stream in state:
        figures = meters.get(stream["name"], {})
        age = figures.get("latency", {}).get("age")
        trouble = f"waits for {stream['waits_for']}" if stream["waits_for"] else stream["error"]
        table.add_row(
            *(escape(str(stream[key])) for key in ("name", "state", "style")),
            f"{figures.get('styled_fps', 0.0):.1f}",
            f"{age['p95_ms']:.0f} ms" if age else "-",
            str(figures.get("dropped", 0)),
            str(stream["restarts"]),
            escape(stream["input"]),
            escape(trouble),
        )
    return table
