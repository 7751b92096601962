"""`python -m tools.levers`: compare forms of each network on an NVIDIA GPU."""

from __future__ import annotations

from pathlib import Path

import click

from livefilter.bench.gpu import run_bounded
from tools.levers.gpu import GpuLevers


@click.command()
@click.option("--gpu", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU.")
@click.option("--limit", type=float, default=420.0, show_default=True, help="Seconds after which nothing is begun.")
@click.option("--network", type=click.Path(path_type=Path, exists=True), multiple=True, help="One more ONNX file.")
@click.option("--only", multiple=True, help="A network to measure, such as hayao-lite; several allowed. Default: all.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="File for the whole report.")
def main(gpu: int, limit: float, network: tuple[Path, ...], only: tuple[str, ...], target: Path | None) -> None:
    """Compare forms of networks and of engines on an NVIDIA GPU."""
    run_bounded(GpuLevers, gpu, limit, network, only, target)


if __name__ == "__main__":
    main()
