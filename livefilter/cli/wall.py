"""`livefilter wall`: many live streams at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.cli.ending import ending_signals, forget_terminal
from livefilter.errors import InvalidInput

if TYPE_CHECKING:
    from livefilter.wall.machines import Machines
    from livefilter.web.client import Client

_LOOK_EVERY_S = 0.25
_PORT = 8425
_NO_WALL = "Start livefilter wall CONFIG.toml, or name the --port of one that runs."
_NUMBERS = ("styled fps", "delay p95", "dropped", "restarts", "streams", "cores", "GPUs", "load")


@click.command()
@click.argument("source", metavar="CONFIG.toml|status|drain")
@click.argument("machine", metavar="[MACHINE]", required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True, help="Port of the API.")
@click.option("--lan", is_flag=True, help="Let others on the local network read it, with the token that is printed.")
@click.option(
    "--cluster",
    "where",
    is_flag=False,
    flag_value="auto",
    metavar="[auto|local|HOST:PORT]",
    help="Run on many machines with Ray: the cluster of this machine, else this machine alone; or another one.",
)
@click.option("--trust-network", is_flag=True, help="Take machines of a cluster with public addresses, unencrypted.")
def wall(source: str, machine: str | None, port: int, lan: bool, where: str | None, trust_network: bool) -> int:
    """Run the streams of a file, each in a process of its own; `livefilter wall status` shows how they are.

    Streams on a GPU that are alike share a process and an engine; share = "off" in the file keeps them apart. A stream
    that fails is started again alone. The API tells of all: /api/state, /api/meters, and /metrics for Prometheus. Each
    table [streams.NAME] of the file takes what `livefilter run` takes, over [defaults], and a machine of a cluster to
    which it is bound. `livefilter wall drain MACHINE` moves all streams away from one.
    """
    if (source == "drain") != (machine is not None):
        raise click.UsageError("MACHINE goes with drain: livefilter wall drain MACHINE.")
    if trust_network and where is None:
        raise click.UsageError("--trust-network needs --cluster.")
    if source == "status":
        return _status(port)
    if machine is not None:
        return _drain(machine, port)
    return _run(Path(source), port, lan, where, trust_network)


def _status(port: int) -> int:
    client, told = _find(port)
    console = open_console()
    streams = told["streams"]
    print_table(console, _table(streams, client.meters()["streams"]))
    if told.get("machines"):
        console.print()
        print_table(console, _machines(told["machines"]))
    return 0 if all(stream["state"] in ("running", "ended") for stream in streams) else 1


def _drain(machine: str, port: int) -> int:
    client, told = _find(port)
    client.do("drain", machine=machine)
    stays = any(each["name"] != machine and not each["leaves"] for each in told["machines"])
    what = "move away" if stays else "stay until another machine comes"
    open_console().print(f"The streams on {escape(machine)} {what}; see `livefilter wall status`.")
    return 0


def _find(port: int) -> tuple[Client, dict[str, Any]]:
    """The wall at a port, and its state. Raises: NotAnswered, InvalidInput: what answers there is no wall."""
    from livefilter.web.client import Client

    client = Client(f"http://127.0.0.1:{port}", timeout_s=5.0, fix=_NO_WALL)
    told = client.state()
    if "streams" not in told:
        raise InvalidInput(f"No wall answers at port {port}: livefilter is there, but it is no wall.", fix=_NO_WALL)
    return client, told


def _run(path: Path, port: int, lan: bool, where: str | None, trusted: bool) -> int:
    from livefilter.output.page import lan_notice
    from livefilter.wall.config import read_wall
    from livefilter.wall.hosts import Hosts
    from livefilter.wall.room import WallRoom
    from livefilter.wall.wall import Wall
    from livefilter.wall.watched import Watched
    from livefilter.web.address import listen, parse_address, url_of
    from livefilter.web.server import WebServer

    threads = _threads_elsewhere() if where is not None else 0
    plans = read_wall(path, threads=threads, cluster=where is not None)
    console = open_console()
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):
            forget_terminal()
        ended.set()

    with contextlib.ExitStack() as opened:
        host, number = parse_address(str(port), lan=lan)
        fix = f"If that is a wall, `livefilter wall status --port {port}` shows it; else choose another --port."
        server = WebServer(listen(host, number, "The wall's API", fix), 1280, 720, lan=lan)
        opened.callback(server.close)
        machines = _open_machines(opened, where, trusted, console) if where is not None else None
        for each in ending_signals():
            opened.callback(signal.signal, each, signal.signal(each, end))
        hosts = Hosts()
        start = machines.start if machines is not None else hosts.open
        with Wall(plans, lambda plan: Watched(plan, start=start), machines, hosts.leaves) as streams:
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
    return 0 if ended.is_set() or all(stream["state"] == "ended" for stream in told) else 1


def _threads_elsewhere() -> int:
    from livefilter.cluster.recipe import default_threads

    return default_threads()


def _open_machines(opened: contextlib.ExitStack, where: str, trusted: bool, console: Console) -> Machines:
    """The machines of a cluster, joined or started.

    Raises: ClusterUnavailable, InvalidInput.
    """
    from livefilter.cluster.addresses import check_words
    from livefilter.cluster.start import start
    from livefilter.inference.hardware import usable_cores
    from livefilter.wall.machines import Machines

    if check_words(where).startswith("ray://"):
        raise InvalidInput(
            "A wall runs on a machine of its cluster, and not on Ray's client.",
            fix="Start Ray here with --address=HOST:PORT, and name --cluster HOST:PORT.",
        )
    session = start(where, cores=usable_cores(), trusted=trusted)
    opened.callback(session.close)
    console.print(escape(f"Working on {session.where}."), soft_wrap=True)
    return Machines(session.ray, lambda text: console.print(escape(text), soft_wrap=True))


def _table(state: list[dict[str, Any]], meters: dict[str, dict[str, Any]]) -> Table:
    placed = any(stream["machine"] for stream in state)
    titles = ["stream", "state", "style", "styled fps", "delay p95", "dropped", "restarts", "input", "trouble"]
    table = _columns([*titles[:2], "machine", *titles[2:]] if placed else titles)
    for stream in state:
        figures = meters.get(stream["name"], {})
        age = figures.get("latency", {}).get("age")
        trouble = f"waits for {stream['waits_for']}" if stream["waits_for"] else stream["error"]
        table.add_row(
            *(escape(str(stream[key])) for key in ("name", "state", *(["machine"] if placed else []), "style")),
            f"{figures.get('styled_fps', 0.0):.1f}",
            f"{age['p95_ms']:.0f} ms" if age else "-",
            str(figures.get("dropped", 0)),
            str(stream["restarts"]),
            escape(stream["input"]),
            escape(trouble),
        )
    return table


def _machines(state: list[dict[str, Any]]) -> Table:
    table = _columns(["machine", "streams", "cores", "GPUs", "load", ""])
    for machine in state:
        figures = (str(machine[key]) for key in ("streams", "cores", "gpus"))
        table.add_row(escape(machine["name"]), *figures, f"{machine['load']:.0%}", "is left" * machine["leaves"])
    return table


def _columns(titles: list[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in _NUMBERS else "left")
    return table
