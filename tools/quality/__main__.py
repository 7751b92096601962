"""`python -m tools.quality`: write the quality report."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--photos", required=True, type=_PATH, help="Folder of photos; those left out of training are used.")
@click.option("--people", required=True, type=_PATH, help="What tools/people.py wrote about the photos.")
@click.option("--teachers", required=True, type=_PATH, help="Folder of the published generators that recipes name.")
@click.option("--clips", required=True, type=_PATH, help="Folder of video clips.")
@click.option("--cache", required=True, type=_PATH, help="Folder with the --cache of each style's training.")
@click.option("--out", required=True, type=_PATH, help="Folder for results and for sheets that are not published.")
@click.option("--judge", type=_PATH, help="What `python -m tools.quality.judge train` wrote; gives the anime score.")
@click.option("--landmarks-python", type=_PATH, help="A Python that has MediaPipe; tells whether expressions stay.")
@click.option("--animegan", type=_PATH, help="A published ONNX graph of AnimeGANv2, to stand beside ours.")
@click.option("--report", default=Path("docs/quality.md"), show_default=True, type=_PATH, help="The file to write.")
@click.option("--runtime", default="onnxruntime", show_default=True, help="Runs the teachers: onnxruntime or openvino.")
@click.option("--held-out", default=30, show_default=True, type=click.IntRange(1), help="Photos, at most.")
@click.option("--frames", default=5, show_default=True, type=click.IntRange(2), help="Of each clip, for flicker.")
@click.option("--expressions", default=16, show_default=True, type=click.IntRange(2), help="Frames of each clip.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Of timing every network.")
def quality(
    photos: Path,
    people: Path,
    teachers: Path,
    clips: Path,
    cache: Path,
    out: Path,
    judge: Path | None,
    landmarks_python: Path | None,
    animegan: Path | None,
    report: Path,
    runtime: str,
    held_out: int,
    frames: int,
    expressions: int,
    rounds: int,
) -> None:
    """Measure every style on unseen photos and on clips, and write docs/quality.md.

    Continues from OUT if a run was cut off there; delete OUT to measure everything anew.
    """
    import importlib.util

    from livefilter.errors import InvalidInput, install_extra

    if importlib.util.find_spec("torch") is None:
        raise InvalidInput(f"The report needs torch, which is not installed: {install_extra('training')}")

    from livefilter.styles.catalogue import Catalogue
    from tools.quality.plan import Plan
    from tools.quality.report import make_report

    plan = Plan(
        photos,
        people,
        teachers,
        clips,
        cache,
        out,
        judge,
        landmarks_python,
        animegan,
        runtime,
        held_out_photos=held_out,
        flicker_frames=frames,
        expression_frames=expressions,
        timed_rounds=rounds,
    )
    make_report(plan, Catalogue().styles, report, click.echo)
    click.echo(f"The report is in {report}, sheets for your eyes are in {out / 'sheets'}.")


if __name__ == "__main__":
    quality()
