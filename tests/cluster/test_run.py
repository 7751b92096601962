"""A render on several machines: what is handed out again, given up, continued."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.cluster.crew import Member, Said
from livefilter.cluster.job import plan_job
from livefilter.cluster.manifest import FOLDER
from livefilter.cluster.report import Report, RunOptions
from livefilter.cluster.run import ClusterRun
from livefilter.cluster.tasks import Outcome, Task
from livefilter.cluster.work_folder import WorkFolder
from livefilter.cluster.worker import Worker
from livefilter.errors import InvalidInput, ManifestUnusable, SinkUnavailable, StyleCorrupt
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.live.open_files import file_openers
from livefilter.live.room_picture import covering
from livefilter.output.video import recording
from livefilter.render import Interrupted, render_path
from tests.cluster.fake_crew import Accident, FakeCrew, small_recipe
from tests.conftest import make_video, picture

NOTHING: Accident = lambda member, task: None  # noqa: E731


class Studio:
    """A folder of films, and runs over it.

    said: what the newest run told. crew: the newest run's.
    """

    def __init__(self, tmp_path: Path) -> None:
        self.source, self.target = tmp_path / "in", tmp_path / "out"
        self.source.mkdir()
        self.target.mkdir()
        self.recipe = small_recipe()
        self.said: list[str] = []
        self.crew: FakeCrew

    def film(self, name: str, seconds: float = 0.5) -> Path:
        return make_video(self.source / name, 128, 96, seconds=seconds, audio=True)

    def run(
        self,
        accident: Accident = NOTHING,
        *,
        nodes: int = 2,
        resume: bool = False,
        reaches: bool = True,
        coming: int = 0,
        clock: Callable[[], float] = time.monotonic,
        **options: object,
    ) -> Report:
        folder = WorkFolder(self.target, self.recipe, resume=resume)
        self.crew = FakeCrew(self.recipe, folder.here, nodes, accident, reaches=reaches)
        self.crew.coming = [self.crew._members.pop() for _ in range(coming)]
        pairs = [(film, self.target / film.name) for film in sorted(self.source.iterdir())]
        self.said = []

        def say(said: Said) -> None:
            self.said.append(said.text)

        given = RunOptions(**options)  # type: ignore[arg-type]
        return ClusterRun(pairs, folder, self.crew, given, said=say, clock=clock).run()

    def alone(self, name: str, to: Path) -> str:
        """SHA-256 of what one machine makes of a film."""
        with ConfiguredStylist(self.recipe.config) as stylist:
            openers = file_openers(encoder_threads=self.recipe.encoder_threads, alpha=stylist.cuts_out)
            render_path(self.source / name, to, stylist, openers, report=lambda done, total: None)
        return digest(to)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir())


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """An empty one."""
    return Studio(tmp_path)


def once(when: Callable[[Task], bool]) -> Accident:
    """Ctrl-C at the first task of that kind."""
    pressed: list[Task] = []

    def interrupt(member: Member, task: Task) -> None:
        if when(task) and not pressed:
            pressed.append(task)
            raise KeyboardInterrupt

    return interrupt


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_films_and_pictures_come_out_as_one_machine_makes_them(studio: Studio, tmp_path: Path) -> None:
    """Bit for bit, the largest first, and nothing else is left in the folder."""
    studio.film("a.mp4")
    studio.film("b.mkv", 1.0)
    cv2.imwrite(str(studio.source / "c.png"), picture())
    report = studio.run()
    assert (report.done, report.failed, report.bad) == (3, (), ())
    assert studio.names() == ["a.mp4", "b.mkv", "c.png"]
    for name in studio.names():
        assert digest(studio.target / name) == studio.alone(name, tmp_path / f"alone-{name}")
    assert [name for _, kind, name in studio.crew.log if kind == "whole"] == ["b.mkv", "a.mp4", "c.png"]
    assert studio.crew.closed


@pytest.mark.parametrize("room", ["picture", "transparent", "blur", "paprika"])
def test_person_and_room_are_those_of_one_machine(studio: Studio, tmp_path: Path, room: str) -> None:
    """Bit for bit, in pictures and in films; a picture that is the room was seen on every machine."""
    shown = tmp_path / "room.png"
    cv2.imwrite(str(shown), picture(200, 150))
    studio.recipe = small_recipe(room=str(shown) if room == "picture" else room, person="raw")
    studio.film("a.mov")
    cv2.imwrite(str(studio.source / "b.png"), picture())
    report = studio.run()
    assert (report.done, report.failed) == (2, ())
    for name in studio.names():
        assert digest(studio.target / name) == studio.alone(name, tmp_path / f"alone-{name}")
    made = cv2.imread(str(studio.target / "b.png"), cv2.IMREAD_UNCHANGED)
    assert made is not None
    assert made.shape[2] == (4 if room == "transparent" else 3)
    if room == "picture":
        assert np.array_equal(made, covering(picture(200, 150), 64, 48)), "nobody is in it, so all of it is the room"
        cv2.imwrite(str(shown), picture(200, 150) // 2)
        with pytest.raises(StyleCorrupt, match="copy the picture"):
            Worker(studio.recipe, "")
        shown.unlink()
        with pytest.raises(InvalidInput, match="Copy it to that path"):
            Worker(studio.recipe, "")


def test_a_film_that_cannot_be_decoded_is_told_and_the_rest_is_done(studio: Studio) -> None:
    """It is tried once: it would fail everywhere."""
    studio.film("a.mp4")
    (studio.source / "bad.mp4").write_bytes(b"\0" * 5000)
    report = studio.run()
    assert (report.done, report.retried) == (1, 0)
    assert len(report.failed) == 1
    assert "bad.mp4" in report.failed[0]
    assert studio.names() == [FOLDER, "a.mp4"]


def test_a_task_that_fails_on_one_machine_is_done_on_another(studio: Studio) -> None:
    """Not where it failed, and the machine is named."""
    studio.film("a.mp4")

    def full(member: Member, task: Task) -> Outcome | None:
        return Outcome(failed="The disk is full.") if member.host == "host0" and task.kind == "whole" else None

    report = studio.run(full)
    assert (report.done, report.retried) == (1, 1)
    assert any("host0: The disk is full" in line for line in studio.said)
    assert [host for host, kind, _ in studio.crew.log if kind == "whole"] == ["host0", "host1"]


def test_a_task_that_fails_waits_for_a_machine_that_is_starting(studio: Studio) -> None:
    """Else the one that is there first, and has no room, would use up all tries."""
    studio.film("a.mp4")

    def full(member: Member, task: Task) -> Outcome | None:
        return Outcome(failed="The disk is full.") if member.host == "host0" and task.kind == "whole" else None

    report = studio.run(full, coming=1)
    assert (report.done, report.retried) == (1, 1)
    assert [host for host, kind, _ in studio.crew.log if kind == "whole"] == ["host0", "host1"]


def test_a_machine_that_reaches_no_folder_is_sent_the_files(studio: Studio, tmp_path: Path) -> None:
    """Their results come back the same way, and are the same."""
    studio.film("a.mp4")
    cv2.imwrite(str(studio.source / "b.png"), picture())
    report = studio.run(nodes=1, reaches=False)
    assert (report.done, report.failed) == (2, ())
    assert digest(studio.target / "a.mp4") == studio.alone("a.mp4", tmp_path / "alone.mp4")
    assert studio.names() == ["a.mp4", "b.png"]


def test_a_full_disk_on_one_machine_is_another_one_s_work(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of its own, on which it keeps what it is sent, is really full: /dev/full takes no byte."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    studio.film("a.mp4")
    create = recording._create

    def full(path: Path, *, private: bool) -> recording._WholeWrites:
        file = create(path, private=private)
        if studio.crew.working == "host0":
            os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    monkeypatch.setattr(recording, "_create", full)
    report = studio.run()
    assert (report.done, report.retried) == (1, 1)
    assert any("host0" in line and "the disk is full" in line for line in studio.said)
    assert studio.names() == ["a.mp4"]


def test_retries_have_a_limit(studio: Studio) -> None:
    """A film that ends every worker is given up, with the number of tries."""
    studio.film("a.mp4")
    studio.film("killer.mp4")

    def kill(member: Member, task: Task) -> str | None:
        return "dies" if task.kind == "whole" and "killer" in task.source else None

    report = studio.run(kill, retries=2)
    assert report.done == 1
    assert "killer.mp4" in report.failed[0]
    assert "(3 tries)" in report.failed[0]


def test_a_machine_that_is_gone_costs_its_task_alone(studio: Studio) -> None:
    """The other one does it."""
    for name in "abcd":
        studio.film(f"{name}.mp4")
    gone: list[int] = []

    def vanish(member: Member, task: Task) -> str | None:
        if task.kind == "whole" and member.host == "host1" and not gone:
            gone.append(1)
            return "node dies"
        return None

    report = studio.run(vanish)
    assert (report.done, report.lost, report.retried) == (4, 1, 1)
    assert sum(kind == "whole" for _, kind, _ in studio.crew.log) == 5


def test_a_slow_machine_has_its_task_run_twice(studio: Studio) -> None:
    """The other result counts, and nothing of the slow one is left."""
    for name in "abc":
        studio.film(f"{name}.mp4")
    now = [0.0]

    def clock() -> float:
        now[0] += 1.0
        return now[0]

    def hang(member: Member, task: Task) -> str | None:
        return "hangs" if task.kind == "whole" and member.host == "host0" else None

    report = studio.run(hang, clock=clock)
    assert (report.done, report.doubled) == (3, 1)
    assert studio.names() == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_run_that_was_ended_goes_on_where_it_was(studio: Studio) -> None:
    """What is done stays whole, is not done again, and the rest follows; without --resume the user is told how."""
    for name in "abc":
        studio.film(f"{name}.mp4")

    interrupt = once(lambda task: task.kind == "whole" and task.source.endswith("c.mp4"))
    with pytest.raises(Interrupted) as caught:
        studio.run(interrupt, nodes=1)
    done = caught.value.frames
    assert 0 < done < 3
    assert studio.names() == [FOLDER, *(f"{name}.mp4" for name in "abc"[:done])]
    with pytest.raises(ManifestUnusable, match="--resume"):
        studio.run()
    report = studio.run(resume=True)
    assert report.done == 3
    assert sum(kind == "whole" for _, kind, _ in studio.crew.log) == 3 - done
    assert studio.names() == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_changed_input_is_done_again(studio: Studio) -> None:
    """Another content is; another time stamp alone is not."""
    for name in "abc":
        studio.film(f"{name}.mp4")
    (studio.source / "bad.mp4").write_bytes(b"\0" * 5000)
    studio.run()
    before = digest(studio.target / "a.mp4")
    studio.film("a.mp4", 1.0)
    (studio.source / "b.mp4").touch()
    studio.run(resume=True)
    assert [name for _, kind, name in studio.crew.log if kind == "whole"] == ["a.mp4", "bad.mp4"]
    assert digest(studio.target / "a.mp4") != before


def test_a_result_that_somebody_changed_is_kept(studio: Studio) -> None:
    """It is no result of ours any more, so it is not replaced."""
    studio.film("a.mp4")
    (studio.source / "bad.mp4").write_bytes(b"\0" * 5000)
    studio.run()
    (studio.target / "a.mp4").write_bytes(b"mine")
    report = studio.run(resume=True)
    assert (studio.target / "a.mp4").read_bytes() == b"mine"
    assert any("a.mp4" in line for line in report.failed)


def test_a_manifest_of_other_settings_is_refused(studio: Studio) -> None:
    """As is a damaged one, and one that is not there."""
    (studio.source / "bad.mp4").write_bytes(b"\0" * 5000)
    with pytest.raises(ManifestUnusable, match="nothing to resume"):
        studio.run(resume=True)
    studio.run()
    studio.recipe = small_recipe(strength=0.5)
    with pytest.raises(ManifestUnusable, match="other settings"):
        studio.run(resume=True)
    path = studio.target / FOLDER / "manifest.json"
    told = json.loads(path.read_text())
    told["body"]["files"][0]["source"] = "elsewhere"
    path.write_text(json.dumps(told))
    studio.recipe = small_recipe()
    with pytest.raises(ManifestUnusable, match="damaged"):
        studio.run(resume=True)


def test_a_long_film_is_cut_and_joined(studio: Studio) -> None:
    """Its parts are done by all, and what is left of an ended run is used."""
    studio.film("long.mp4", 4.0)

    interrupt = once(lambda task: task.span is not None and task.span.end is None)
    with pytest.raises(Interrupted):
        studio.run(interrupt, cut_s=1.0)
    kept = sum(kind == "segment" for _, kind, _ in studio.crew.log) - 1
    report = studio.run(resume=True, cut_s=1.0)
    kinds = [kind for _, kind, _ in studio.crew.log]
    assert (report.done, report.frames) == (1, 120)
    assert kept >= 2
    assert kinds.count("segment") == 4 - kept
    assert kinds[-1] == "join"
    assert studio.names() == ["long.mp4"]


def test_a_folder_that_cannot_be_written_is_one_clear_line(studio: Studio) -> None:
    """Not a traceback of some worker."""
    studio.film("a.mp4")
    (studio.target / FOLDER).write_text("a file of somebody's")
    with pytest.raises((SinkUnavailable, ManifestUnusable), match=FOLDER):
        studio.run()


def test_names_that_no_system_takes_are_told_in_one_line(tmp_path: Path) -> None:
    """As the plain command tells them."""
    for source in (tmp_path / ("x" * 300), tmp_path / "nothing.mp4"):
        with pytest.raises(InvalidInput, match=r"Check both paths|check the path"):
            plan_job(source, tmp_path, (".mp4",))
