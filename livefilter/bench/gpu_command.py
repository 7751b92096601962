"""The command around a measurement on an NVIDIA GPU: its options, its report, and its end when a library hangs."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import click

from livefilter.errors import LivefilterError, UnknownName
from livefilter.styles.catalogue import Catalogue

_GRACE_S = 45.0


class Measurement(Protocol):
    """What is run, as livefilter.bench.gpu.GpuBench is."""

    report: dict[str, Any]

    def run(self, folder: Path) -> object: ...


# Networks by name, the GPU's number, when nothing new is begun, and what is told each line of the report.
Kind: TypeAlias = Callable[[dict[str, Path], int, float, Callable[[str], None]], Measurement]


def keep(networks: dict[str, Path], only: Collection[str]) -> None:
    """Take out the networks that are not to be measured; none named: all stay.

    Raises: UnknownName.
    """
    for name in only:
        if name not in networks:
            raise UnknownName("network", name, networks)
    for name in [name for name in networks if only and name not in only]:
        del networks[name]


def command(kind: Kind, text: str) -> click.Command:
    """The command of one kind of measurement. text: what it does."""
    return click.Command(
        "gpu",
        callback=functools.partial(run_bounded, kind),
        help=text,
        params=[
            click.Option(["--gpu"], type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU."),
            click.Option(
                ["--limit"], type=float, default=420.0, show_default=True, help="Seconds after which nothing is begun."
            ),
            click.Option(
                ["--network"],
                type=click.Path(path_type=Path, exists=True),
                multiple=True,
                help="One more ONNX file.",
            ),
            click.Option(
                ["--only"],
                multiple=True,
                help="A network to measure, such as hayao-lite; several allowed. Default: all.",
            ),
            click.Option(["--json", "target"], type=click.Path(path_type=Path), help="File for the whole report."),
        ],
    )


def run_bounded(
    kind: Kind, gpu: int, limit: float, network: Sequence[Path], only: Sequence[str], target: Path | None
) -> None:
    """Run one kind of measurement, print it, and end the program where a library does not come back in time.

    limit: seconds after which nothing is begun. network: ONNX files beside the styles'. target: gets the report, JSON.
    Raises: click.ClickException.
    """
    networks = {item.label: item.path for style in Catalogue().styles for item in style.networks.values()}
    networks |= {path.stem: path for path in network}
    bench = kind(networks, gpu, limit, click.echo)

    def write() -> None:
        for name in bench.report["not_done"]:
            click.echo(f"Not done: {name}")
        if target is not None:
            target.write_text(json.dumps(bench.report, indent=1) + "\n", encoding="utf-8")

    def give_up() -> None:
        click.echo("The last step took too long, and the rest is not done.")
        write()
        os._exit(3)  # a build inside a library cannot be ended otherwise

    late = threading.Timer(limit + _GRACE_S, give_up)
    late.daemon = True
    late.start()
    with tempfile.TemporaryDirectory() as folder:
        if importlib.util.find_spec("torch") and importlib.util.find_spec("onnx"):
            from livefilter.bench.animegan import FILE, write_animegan

            networks["animeganv2"] = write_animegan(Path(folder) / FILE)
        else:
            bench.report["not_done"].append("animeganv2: PyTorch and onnx write it, and are not installed")
        try:
            keep(networks, only)
            bench.run(Path(folder) / "engines")
        except LivefilterError as error:
            raise click.ClickException(str(error)) from error
        finally:
            late.cancel()
    write()
