"""`python -m tools.person`: write the figures of the network that finds people."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--photos", required=True, type=_PATH, help="Folder of photos; those left out of training are used.")
@click.option("--people", required=True, type=_PATH, help="What tools/people.py wrote about the photos.")
@click.option("--clips", required=True, type=_PATH, help="Folder of video clips.")
@click.option("--unseen", multiple=True, help="Name of a clip that training has seen nothing of; may be repeated.")
@click.option("--mediapipe-python", required=True, type=_PATH, help="A Python that has MediaPipe.")
@click.option("--out", required=True, type=_PATH, help="Folder for frames, masks and sheets, which are not published.")
@click.option("--network", type=_PATH, help="Another network than the one that comes with livefilter.")
@click.option("--side", type=click.IntRange(64), help="Shorter side at which a style's own network is to look.")
@click.option("--style", default="hayao", show_default=True, help="The style beside which the cost is measured.")
@click.option("--report", default=Path("docs/person-figures.md"), show_default=True, type=_PATH, help="What to write.")
@click.option("--frames", default=12, show_default=True, type=click.IntRange(2), help="Of each clip, for masks.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(0), help="Of timing; 0 leaves it out.")
def person(
    photos: Path,
    people: Path,
    clips: Path,
    unseen: tuple[str, ...],
    mediapipe_python: Path,
    out: Path,
    network: Path | None,
    side: int | None,
    style: str,
    report: Path,
    frames: int,
    rounds: int,
) -> None:
    """Measure masks of people on unseen photos and on clips, their flicker, their lag and their cost."""
    from livefilter.live.person_network import SIDE, person_network
    from tools.person.figures import Figures, sheet
    from tools.person.material import clip_frames, held_out_photos, in_the_dark, moving
    from tools.person.report import markdown

    left_out = held_out_photos(photos, people)
    shown = [*left_out, *in_the_dark(left_out), *clip_frames(clips, frames, mediapipe_python, out)]
    figures = Figures.measured(network or person_network(), shown, moving(clips, 16), style, rounds, side or SIDE)
    report.write_text(markdown(figures, unseen), encoding="utf-8")
    for group in figures.groups:
        sheet(
            [each for each in shown if each.group == group], figures, out / "sheets" / f"{group.replace(', ', '-')}.jpg"
        )
    click.echo(f"The figures are in {report}, sheets for your eyes in {out / 'sheets'}.")


if __name__ == "__main__":
    person()
