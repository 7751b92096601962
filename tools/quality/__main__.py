"""`python -m tools.quality`: write the quality report."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--photos", required=True, type=_FOLDER, help="Folder of photos; those left out of training are used.")
@click.option("--teachers", required=True, type=_FOLDER, help="Folder of published generators (ONNX).")
@click.option("--clips", required=True, type=_FOLDER, help="Folder of video clips.")
@click.option(
    "--pairs",
    multiple=True,
    type=_FOLDER,
    help="Folder with `photo` and a folder of drawings named like the style, for teachers without a network; "
    "in the order of the training's --pairs.",
)
@click.option("--cache", required=True, type=_FOLDER, help="Folder with the --cache of each style's training.")
@click.option("--out", required=True, type=_FOLDER, help="Folder for results and for sheets that are not published.")
@click.option("--report", default=Path("docs/quality.md"), show_default=True, type=_FOLDER, help="The file to write.")
@click.option("--l1", multiple=True, type=_FOLDER, help="Folder of a style that was trained with nothing but L1.")
@click.option("--runtime", default="onnxruntime", show_default=True, help="Runs the teacher: onnxruntime or openvino.")
@click.option("--longest", default=512, show_default=True, type=click.IntRange(64), help="Longest side of the photos.")
@click.option(
    "--held-out", default=24, show_default=True, type=click.IntRange(1), help="Photos to measure on, at most."
)
@click.option("--table-photos", default=48, show_default=True, type=click.IntRange(1), help="For the colour table.")
@click.option("--frames", default=12, show_default=True, type=click.IntRange(2), help="Frames of each clip.")
@click.option("--runs", default=15, show_default=True, type=click.IntRange(1), help="Timed runs of each network.")
def quality(
    photos: Path,
    teachers: Path,
    clips: Path,
    pairs: tuple[Path, ...],
    cache: Path,
    out: Path,
    report: Path,
    l1: tuple[Path, ...],
    runtime: str,
    longest: int,
    held_out: int,
    table_photos: int,
    frames: int,
    runs: int,
) -> None:
    """Measure every style on unseen photos and clips, and write docs/quality.md.

    Continues from OUT if a run was cut off there; delete OUT to measure everything anew.
    """
    import importlib.util

    from livefilter.errors import InvalidInput, install_extra

    if importlib.util.find_spec("torch") is None:
        raise InvalidInput(f"The report needs torch, which is not installed: {install_extra('training')}")

    from livefilter.styles.card import read_card
    from livefilter.styles.catalogue import Catalogue
    from tools.quality.plan import Plan
    from tools.quality.report import make_report

    plan = Plan(
        photos,
        teachers,
        clips,
        pairs,
        cache,
        out,
        runtime,
        longest=longest,
        held_out_photos=held_out,
        table_photos=table_photos,
        clip_frames=frames,
        timed_runs=runs,
    )
    plain = {style.name: style for style in map(read_card, l1)}
    make_report(plan, Catalogue().styles, plain, report, click.echo)
    click.echo(f"The report is in {report}, sheets for your eyes are in {out / 'sheets'}.")


if __name__ == "__main__":
    quality()
