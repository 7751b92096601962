"""The driver's own worker, and Ray's that join it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from livefilter.cluster.crew import Event, Finished, Lost, Member, Said
from livefilter.cluster.here_first import HereFirst
from livefilter.cluster.job import plan_job, run_job
from livefilter.cluster.own_worker import OwnWorker
from livefilter.cluster.recipe import Recipe
from livefilter.cluster.report import RunOptions
from livefilter.cluster.start import Session
from livefilter.cluster.tasks import Task
from livefilter.errors import ClusterUnavailable
from livefilter.output import VIDEO_SUFFIXES
from tests.cluster.fake_crew import FakeCrew, small_recipe
from tests.conftest import make_video

TIMEOUT_S = 120.0


class Cluster(Session):
    """A cluster that starts when a test says so, and what is asked of it."""

    def __init__(self) -> None:
        super().__init__(None, "a cluster", "http://127.0.0.1:8265")
        self.may_start = threading.Event()
        self.may_start.set()
        self.opened = self.closed = 0
        self.error: Exception | None = None

    def open(self) -> Session:
        self.opened += 1
        assert self.may_start.wait(60.0)
        if self.error is not None:
            raise self.error
        return self

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def own() -> Iterator[OwnWorker]:
    """A worker in a real process."""
    worker = OwnWorker()
    yield worker
    worker.close()


def until(worker: OwnWorker | HereFirst, what: Callable[[list[Event]], bool]) -> list[Event]:
    """What happens until something is so."""
    events: list[Event] = []
    ends = time.monotonic() + TIMEOUT_S
    while time.monotonic() < ends:
        if what(events):
            return events
        events += worker.poll(0.5) if isinstance(worker, OwnWorker) else worker.wait(0.5)
    raise AssertionError("it did not come to that")


def look(number: int, path: Path) -> Task:
    """A task that takes no time."""
    return Task(number, 0, "look", str(path), "")


def begun(own: OwnWorker, tmp_path: Path, recipe: Recipe | None = None) -> Path:
    """Let it get ready; the file that it may look at."""
    here = tmp_path / "here"
    here.write_bytes(b"x")
    own.begin(recipe or small_recipe(), str(here))
    return here


def crew_of(own: OwnWorker, tmp_path: Path, cluster: Cluster, workers: int = 2) -> tuple[HereFirst, list[FakeCrew]]:
    """Own worker and fake ones of a cluster."""
    here, made = tmp_path / "here", list[FakeCrew]()
    here.write_bytes(b"x")

    def open_crew(session: Session, most: int) -> FakeCrew:
        assert session is cluster
        crew = FakeCrew(small_recipe(), here, most)
        crew._members = [Member(number + 1, f"node{number}", f"host{number}", "CPU") for number in range(most)]
        crew._workers = {number + 1: worker for number, worker in crew._workers.items()}
        made.append(crew)
        return crew

    return HereFirst(own, small_recipe(), str(here), workers, cluster.open, open_crew), made


def test_a_worker_of_its_own_does_tasks_and_is_started_again_when_it_dies(own: OwnWorker, tmp_path: Path) -> None:
    """What it was doing is lost, and told; the new one works."""
    here = begun(own, tmp_path)
    until(own, lambda events: own.member is not None)
    own.submit(look(7, here))
    (event,) = until(own, lambda events: bool(events))
    assert isinstance(event, Finished)
    assert event.outcome.facts is not None
    assert event.outcome.facts.size == 1
    first = own._process
    first.kill()
    first.wait(60.0)
    own.submit(look(8, here))
    (event,) = until(own, lambda events: bool(events))
    assert isinstance(event, Lost)
    assert (event.task.number, event.with_node) == (8, False)
    until(own, lambda events: own.member is not None)
    own.submit(look(8, here))
    assert isinstance(until(own, lambda events: bool(events))[0], Finished)
    own.close()
    own.close()
    assert own._process.returncode is not None


def test_a_worker_of_its_own_stops_what_it_is_told_to(own: OwnWorker, tmp_path: Path) -> None:
    """In the middle of a film; how far it is, is told before."""
    make_video(tmp_path / "film.mp4", 160, 120, seconds=60.0)
    begun(own, tmp_path)
    until(own, lambda events: own.member is not None)
    own.submit(Task(3, 0, "whole", str(tmp_path / "film.mp4"), str(tmp_path / "out.mp4")))
    until(own, lambda events: own.progress()[1] > 0)
    own.cancel(3)
    (event,) = until(own, lambda events: bool(events))
    assert isinstance(event, Finished)
    assert event.outcome.blame == "stopped"
    assert not list(tmp_path.glob("out*"))


def test_a_machine_that_cannot_style_so_says_why(own: OwnWorker, tmp_path: Path) -> None:
    """As when a network is another one than where the command was given."""
    recipe = small_recipe()
    recipe.files["hayao"] = "0" * 64
    begun(own, tmp_path, recipe)
    with pytest.raises(ClusterUnavailable, match="hayao is not the same"):
        until(own, lambda events: False)


def test_the_driver_begins_alone_and_ray_s_workers_join_when_work_waits(own: OwnWorker, tmp_path: Path) -> None:
    """Nothing of Ray is started before; then both work, each with tasks of its own."""
    cluster = Cluster()
    cluster.may_start.clear()
    crew, made = crew_of(own, tmp_path, cluster, 3)
    until(crew, lambda events: bool(crew.members()))
    assert (cluster.opened, crew.starting()) == (0, set())
    crew.needed()
    crew.needed()
    assert crew.starting()
    (mine,) = crew.members()
    crew.submit(mine, look(1, tmp_path / "here"))
    assert isinstance(until(crew, lambda events: bool(events))[0], Finished), "it works while Ray is started"
    cluster.may_start.set()
    events = until(crew, lambda events: len(crew.members()) == 3)
    assert [event.text for event in events if isinstance(event, Said)] == ["Dashboard: http://127.0.0.1:8265"]
    for number, member in enumerate(crew.members(), start=2):
        crew.submit(member, look(number, tmp_path / "here"))
    assert set(crew.progress()) == {0, 1, 2}
    done = until(crew, lambda events: len(events) == 3)
    assert sorted(event.task.number for event in done if isinstance(event, Finished)) == [2, 3, 4]
    assert [kind for _, kind, _ in made[0].log] == ["look", "look"]
    crew.close()
    assert (cluster.opened, cluster.closed, made[0].closed) == (1, 1, True)


def test_one_worker_needs_no_ray(own: OwnWorker, tmp_path: Path) -> None:
    """However much waits."""
    cluster = Cluster()
    crew, _ = crew_of(own, tmp_path, cluster, 1)
    crew.needed()
    crew.close()
    assert (cluster.opened, crew.starting()) == (0, set())


def test_a_ray_that_does_not_start_ends_the_run(own: OwnWorker, tmp_path: Path) -> None:
    """With its own words."""
    cluster = Cluster()
    cluster.error = ClusterUnavailable("Ray does not start here: no memory. Render without --cluster.")
    crew, _ = crew_of(own, tmp_path, cluster)
    crew.needed()
    with pytest.raises(ClusterUnavailable, match="no memory"):
        until(crew, lambda events: False)
    crew.close()


@pytest.mark.parametrize("films", [1, 3])
def test_a_run_asks_for_ray_only_where_there_is_work_for_it(own: OwnWorker, tmp_path: Path, films: int) -> None:
    """One film that is not cut is the driver's own; of three some wait."""
    source = tmp_path / "in"
    source.mkdir()
    for number in range(films):
        make_video(source / f"{number}.mp4", 64, 48, seconds=0.5)
    cluster = Cluster()
    cluster.error = ClusterUnavailable("It was asked for.")

    def run() -> Any:
        job = plan_job(source, tmp_path / "out", VIDEO_SUFFIXES)
        return run_job(job, small_recipe(), RunOptions(), cluster.open, own=own, workers=2)

    if films == 1:
        assert run().done == 1
        assert cluster.opened == 0
    else:
        with pytest.raises(ClusterUnavailable, match="It was asked for"):
            run()
