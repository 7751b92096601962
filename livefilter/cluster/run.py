"""A render on many machines, from the list of files to their results."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from livefilter.cluster.board import Board
from livefilter.cluster.crew import Crew, Event, Finished, Lost, Member, Said
from livefilter.cluster.film import Film, NumberLine, size_of
from livefilter.cluster.manifest import Entry
from livefilter.cluster.pace import Pace, Snapshot
from livefilter.cluster.report import Report, RunOptions
from livefilter.cluster.tasks import Outcome, Task
from livefilter.cluster.work_folder import WorkFolder
from livefilter.errors import LivefilterError, SinkUnavailable
from livefilter.render.results import Interrupted
from livefilter.render.writing import put_in_place

_WAIT_S = 0.5
_END_S = 3.0
# A machine that takes its tasks with it this often is gone for another reason than the task.
_MOST_NODES_LOST = 5


class ClusterRun:
    """Hands out the tasks of all files, takes what comes back, and gives each result its name once it is whole.

    pairs: files and where they go. folder: unfinished results. crew: who works. told: where the run stands, about
    twice a second. said: what happens to machines and files, a line each.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[Path, Path]],
        folder: WorkFolder,
        crew: Crew,
        options: RunOptions,
        *,
        told: Callable[[Snapshot], None] = lambda snapshot: None,
        said: Callable[[Said], None] = lambda said: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._crew, self._options = folder, crew, options
        self._told, self._said = told, said
        self._numbers = NumberLine()
        self._pace = Pace(clock)
        self._board = Board(self._pace, clock)
        self._retried = self._lost = 0
        self._tries: dict[int, int] = {}
        self._falls: dict[int, int] = {}
        known = folder.manifest.entries
        self._films = [
            Film(number, source, target, size_of(source), known.get(str(source)) or Entry(str(source), str(target)))
            for number, (source, target) in enumerate(pairs)
        ]
        folder.manifest.entries = {film.entry.source: film.entry for film in self._films}
        self._ours: set[Path] = set()  # results that may be replaced, as they are an earlier run's own

    def run(self) -> Report:
        """Do it all.

        Raises: Interrupted, by Ctrl-C: what is done stays, and can be continued; SinkUnavailable, ClusterUnavailable.
        """
        try:
            self._start()
            while not all(film.over for film in self._films):
                self._hand_out()
                for event in self._crew.wait(_WAIT_S):
                    self._take(event)
                self._told(self.snapshot())
            self._told(self.snapshot())
        except KeyboardInterrupt as interrupt:
            self._stop()
            done = sum(film.entry.done for film in self._films)
            raise Interrupted(self._folder.path.parent if done else None, done) from interrupt
        except BaseException:
            self._stop()
            raise
        self._stop()
        return self._report()

    def snapshot(self) -> Snapshot:
        """Where the run stands now."""
        running = self._crew.progress()
        members = self._crew.members()
        workers: dict[str, int] = {}
        for member in members:
            workers[member.host] = workers.get(member.host, 0) + 1
        share = self._share(running)
        eta_s = self._pace.elapsed_s * (1 - share) / share if share > 0.01 else None
        segments = [
            (len(film.parts) if not film.entry.done else len(film.spans), len(film.spans)) for film in self._films
        ]
        return Snapshot(
            (sum(film.entry.done for film in self._films), len(self._films)),
            (sum(done for done, _ in segments), sum(count for _, count in segments)),
            sum(bool(film.failed) for film in self._films),
            self._pace.frames + sum(frames for _, frames in running.values()),
            self._pace.fps(members, running),
            workers,
            share,
            eta_s,
        )

    def _start(self) -> None:
        """Find out what an earlier run has done, and look at the rest."""
        ranks = sorted(self._films, key=lambda film: (not film.comes_first(self._options.first), -film.size))
        for rank, film in enumerate(ranks):
            self._board.rank(film.number, rank)
            entry = film.entry
            ours = self._folder.result_is(entry)
            if ours and film.unchanged():
                entry.done = True
                continue
            if ours:
                self._ours.add(film.target)
            entry.done, entry.bad = False, []
            entry.parts = [part for part in entry.parts if self._folder.holds(part)]
            look = Task(self._numbers.next(), film.number, "look", str(film.source), "", cut_s=self._options.cut_s)
            self._board.add(look)

    def _hand_out(self) -> None:
        for member, task in self._board.pairs(self._crew.members(), self._crew.starting()):
            self._crew.submit(member, task)
        if self._board.crowded(self._crew.members()):
            self._crew.needed()

    def _take(self, event: Event) -> None:
        if isinstance(event, Said):
            self._lost += event.gone
            self._said(event)
            return
        film = self._films[event.task.file]
        if isinstance(event, Lost):
            left = self._board.ended(event.member, event.task)
            self._say_lost(event)
            if left and not film.over:
                self._again(film, event.task, event.member, f"{event.member.host}: the worker ended", event.with_node)
            return
        left = self._board.ended(event.member, event.task)
        if film.over or self._board.is_done(event.task):
            self._drop(event.outcome)
        elif event.outcome.failed:
            self._take_failure(film, event, left)
        else:
            self._take_result(film, event)

    def _take_failure(self, film: Film, event: Finished, left: bool) -> None:
        task, outcome, member = event.task, event.outcome, event.member
        if outcome.blame == "cut":
            self._said(Said(outcome.failed))
            self._forget(film)
            film.leave_whole()
            for made in film.tasks(self._numbers, self._folder.path):
                self._board.add(made)
        elif outcome.blame == "file":
            self._give_up(film, outcome.failed)
        elif outcome.blame == "reach":
            self._said(
                Said(f"{member.host} does not reach {film.source} or {self._folder.path}; it gets files sent.", True)
            )
            self._board.blind(member)
            self._board.add(task)
        elif left:
            self._again(film, task, member, f"{member.host}: {outcome.failed}", fell=False)

    def _take_result(self, film: Film, event: Finished) -> None:
        task, outcome = event.task, event.outcome
        for other, twin in self._board.settle(task):
            self._crew.cancel(other, twin)
        if task.kind == "look":
            if outcome.facts is not None:
                self._looked(film, outcome)
            return
        if task.kind != "join":
            self._pace.finished(event.member, outcome.frames, outcome.seconds)
        if task.kind == "segment":
            if film.take_part(task, outcome):
                self._board.add(film.join(self._numbers, self._folder.path))
            self._folder.note(film.entry)
            return
        self._place(film, outcome)

    def _looked(self, film: Film, outcome: Outcome) -> None:
        facts = outcome.facts
        if facts is None:
            return
        if film.target in self._ours and film.entry.input_sha256 == facts.sha256:
            film.entry.input_modified_ns, film.entry.done = facts.modified_ns, True  # touched, and not changed
            film.facts = facts
            return
        film.take_facts(facts, cut=self._board.any_reaches(self._crew.members()))
        for task in film.tasks(self._numbers, self._folder.path):
            self._board.add(task)

    def _place(self, film: Film, outcome: Outcome) -> None:
        """Give a whole result its name."""
        made = Path(outcome.path)
        if outcome.data is not None:
            made = self._folder.path / made.name
            made.write_bytes(outcome.data)
        film.take_result(outcome)
        self._folder.note(film.entry)  # before it has its name: whatever happens then, it is known for ours
        try:
            put_in_place(made, film.target, self._options.overwrite or film.target in self._ours)
        except SinkUnavailable as error:
            film.entry.sha256 = ""
            self._give_up(film, str(error))
            return
        for part in film.finish():
            with contextlib.suppress(OSError):
                (self._folder.path / part.name).unlink()

    def _again(self, film: Film, task: Task, member: Member, why: str, fell: bool) -> None:
        """Try a task once more, elsewhere if that can be."""
        counts = self._falls if fell else self._tries
        counts[task.number] = counts.get(task.number, 0) + 1
        if counts[task.number] > (_MOST_NODES_LOST if fell else self._options.retries):
            self._give_up(film, f"{why} ({counts[task.number]} tries)")
            return
        self._retried += 1
        self._said(Said(f"{film.source.name} is tried again: {why}", True))
        self._board.add(task, avoid=member.node)

    def _give_up(self, film: Film, why: str) -> None:
        film.failed = why if str(film.source) in why else f"{film.source}: {why}"
        self._said(Said(film.failed, True))
        self._forget(film)

    def _forget(self, film: Film) -> None:
        for member, task in self._board.forget(film.number):
            self._crew.cancel(member, task)

    def _say_lost(self, event: Lost) -> None:
        name = self._films[event.task.file].source.name
        self._said(Said(f"A worker on {event.member.host} ended in the middle of {name}.", True))

    def _drop(self, outcome: Outcome) -> None:
        """Remove a result that another worker was faster with."""
        if outcome.path and outcome.data is None:
            with contextlib.suppress(OSError):
                Path(outcome.path).unlink()

    def _share(self, running: dict[int, tuple[int, int]]) -> float:
        total = sum(film.size for film in self._films) or 1
        frames = dict(running.values())
        done = 0.0
        for film in self._films:
            count = film.facts.frames if film.facts else 0
            made = sum(part.frames for part in film.parts.values())
            made += sum(frames.get(task.number, 0) for task in self._board.of(film.number))
            done += film.size if film.over else film.size * min(1.0, made / count) if count else 0.0
        return min(1.0, done / total)

    def _stop(self) -> None:
        """End what still runs, and take no more of it."""
        running = self._board.running()
        for member, task in running:
            with contextlib.suppress(LivefilterError):
                self._crew.cancel(member, task)
        ends = time.monotonic() + _END_S
        with contextlib.suppress(LivefilterError, KeyboardInterrupt):
            while self._board.running() and time.monotonic() < ends:
                for event in self._crew.wait(_WAIT_S):
                    if isinstance(event, Finished | Lost):
                        self._board.ended(event.member, event.task)
        with contextlib.suppress(LivefilterError):
            self._folder.save()
        self._crew.close()
        self._folder.close(finished=all(film.entry.done for film in self._films))

    def _report(self) -> Report:
        done = [film for film in self._films if film.entry.done]
        return Report(
            len(done),
            sum(film.entry.frames for film in done),
            tuple(line for film in done for line in film.entry.bad),
            tuple(film.failed for film in self._films if film.failed),
            tuple(f"{film.target.name}: {film.entry.notice}" for film in done if film.entry.notice),
            self._retried,
            self._board.doubled,
            self._lost,
            {str(film.target): film.entry.sha256 for film in done},
        )
