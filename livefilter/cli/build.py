"""livefilter build: TensorRT engines from trained generators."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn

from livefilter.cli.build_network import network_to_build
from livefilter.cli.console import open_console
from livefilter.errors import InvalidInput
from livefilter.styles.network import SIZES
from livefilter.tensorrt.builder import MOST_AT_ONCE, EngineBuilder, EngineRequest
from livefilter.tensorrt.flavour import FLAVOURS, get_flavour
from livefilter.tensorrt.key import PRECISIONS, SizeRange
from livefilter.tensorrt.lookup import usual_factor
from livefilter.tensorrt.store import EngineStore, StoredEngine, engines_folder


@click.command()
@click.argument("network", metavar="STYLE|FILE")
@click.option(
    "--network",
    "network_size",
    type=click.Choice(["auto", *SIZES]),
    default="auto",
    show_default=True,
    help="Size of the style's network; auto takes full.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    default=("1280x720",),
    show_default=True,
    help="Frame size, in multiples of 8; repeat it for several engines. SMALLEST:BEST:LARGEST makes one engine for a "
    "range, which is slower than one for a fixed size.",
)
@click.option(
    "--flavour",
    type=click.Choice(list(FLAVOURS)),
    default="tensorrt",
    show_default=True,
    help="TensorRT for any NVIDIA GPU, or rtx (TensorRT for RTX) for GeForce and RTX cards.",
)
@click.option("--precision", type=click.Choice(PRECISIONS), default="fp16", show_default=True, help="Of the layers.")
@click.option("--level", type=click.IntRange(0, 5), default=3, show_default=True, help="0 builds fast, 5 runs fast.")
@click.option(
    "--batch",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=1,
    show_default=True,
    help="Frames at once. A wall whose streams share an engine takes 2, 4 and 8, and builds what it lacks.",
)
@click.option(
    "--smaller",
    type=click.IntRange(1, 16),
    help="Draw so many times smaller than the frames, with edges crisp at their size. By default what a live run of "
    "this style asks for (about 360 lines), and 1 for a range; 1 is for a --process-size of your own.",
)
@click.option("--nv12", is_flag=True, help="Let the engine give NV12, which `run --nv12` takes.")
@click.option("--gpu", type=click.IntRange(0), default=0, show_default=True, help="Number of the GPU to build for.")
@click.option("--engines", type=click.Path(path_type=Path), help="Folder of built engines.  [env: LIVEFILTER_ENGINES]")
@click.option("--force", is_flag=True, help="Build even when the engine is there.")
def build(
    network: str,
    network_size: str,
    sizes: tuple[str, ...],
    flavour: str,
    precision: str,
    level: int,
    batch: int,
    smaller: int | None,
    nv12: bool,
    gpu: int,
    engines: Path | None,
    force: bool,
) -> None:
    """Compile a trained generator to TensorRT engines for this machine's GPU.

    STYLE is a name that `livefilter styles` lists. FILE is an ONNX file (.onnx) or a checkpoint (.safetensors, .pt)
    of livefilter's own generators or of the AnimeGAN family.

    An engine that is there already is kept. Ctrl-C ends a build and leaves nothing of it behind.
    """
    ranges = [SizeRange.parse(size) for size in dict.fromkeys(sizes)]
    store = EngineStore(engines_folder(engines))
    console = open_console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        found = network_to_build(
            network,
            network_size,
            get_flavour(flavour),
            Path(folder),
            lambda text: console.print(escape(text), soft_wrap=True),
        )
        requests = []
        for size in ranges:
            found.require(size)
            form = "nv12" if nv12 else "bgr"
            about = (found.path, found.style, found.licence, size, get_flavour(flavour))
            times = smaller or usual_factor(found.path, size)
            requests.append(EngineRequest(*about, precision, level, gpu, form, batch, times))
        for request in requests:
            with _progress(console) as progress:
                task = progress.add_task(f"{found.style} {request.frames} {flavour} {precision}", total=1.0, phase="")
                builder = EngineBuilder(store, _sayer(progress), _reporter(progress, task))
                engine, built = builder.obtain(request, anew=force)
                progress.update(task, visible=False)
            click.echo(_result(engine, built))


def _progress(console: Console) -> Progress:
    columns: tuple[ProgressColumn, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
    )
    columns += (TimeElapsedColumn(), TextColumn("{task.fields[phase]}"))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _sayer(progress: Progress) -> Callable[[str], None]:
    return lambda text: progress.console.print(escape(text), soft_wrap=True)


def _reporter(progress: Progress, task: TaskID) -> Callable[[float, str], None]:
    lock = threading.Lock()

    def report(fraction: float, phase: str) -> None:
        with lock:  # TensorRT calls from several threads
            progress.update(task, completed=fraction, phase=escape(phase.strip()[:40]))

    return report


def _result(engine: StoredEngine, built: bool) -> str:
    sidecar = engine.sidecar
    if sidecar is None:
        raise InvalidInput(f"{engine.plan_path} has no sidecar.")
    done = f"built in {sidecar.build_s:.1f} s" if built else "there already"
    name = f"{sidecar.style} {sidecar.key.frames} {sidecar.key.flavour} {sidecar.key.precision}"
    return f"{name}: {done}, {sidecar.plan_bytes / 1e6:.1f} MB, {engine.plan_path}"
