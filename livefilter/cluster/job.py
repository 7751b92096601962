"""A render on a cluster, from what a user named to the report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from livefilter.capture.kinds import kind_of
from livefilter.cluster.crew import Crew, Said
from livefilter.cluster.here_first import HereFirst
from livefilter.cluster.own_worker import OwnWorker
from livefilter.cluster.pace import Snapshot
from livefilter.cluster.recipe import Recipe
from livefilter.cluster.report import Report, RunOptions
from livefilter.cluster.run import ClusterRun
from livefilter.cluster.start import Session
from livefilter.cluster.work_folder import WorkFolder
from livefilter.errors import InvalidInput
from livefilter.render.folder import check_all_free, folder_contents, make_folder
from livefilter.render.writing import paths_told, require_source, target_of


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be rendered: each file and where it goes, the folder of the results, files and folders left alone."""

    pairs: tuple[tuple[Path, Path], ...]
    folder: Path
    skipped: int = 0
    folders: int = 0
    what: str = "file"


def plan_job(source: Path, target: Path, video_suffixes: tuple[str, ...]) -> Job:
    """The files that a name stands for, and where each goes; as `render_path` has it.

    Raises: InvalidInput, SinkUnavailable.
    """
    source, target = (Path(os.path.expanduser(path)).absolute() for path in (source, target))
    with paths_told(source, target):
        require_source(source)
        if source.is_dir():
            contents = folder_contents(source, target, video_suffixes)
            return Job(tuple(contents.pairs), target, contents.skipped, contents.folders, contents.what)
        target = target_of(source, target)
    refusal = kind_of(source).refusal
    if refusal:
        raise InvalidInput(f"{source} {refusal}")
    return Job(((source, target),), target.parent)


def run_job(
    job: Job,
    recipe: Recipe,
    options: RunOptions,
    open_session: Callable[[], Session],
    *,
    own: OwnWorker | None = None,
    resume: bool = False,
    workers: int = 0,
    told: Callable[[Snapshot], None] = lambda snapshot: None,
    said: Callable[[Said], None] = lambda said: None,
) -> Report:
    """Do a job on a cluster.

    open_session: connects to it; called once everything that can be wrong with the names has been checked.
    own: does the first task while Ray is started, which it is for this machine alone, if there is work for more.
    resume: go on with what an earlier run left. workers: at most so many, 0 for all that fit (not with `own`).
    Raises: LivefilterError; Interrupted.
    """
    if not resume:
        check_all_free((target for _, target in job.pairs), options.overwrite)
    make_folder(job.folder)
    folder = WorkFolder(job.folder, recipe, resume=resume)
    if recipe.cuts_out:
        options = replace(options, cut_s=0.0)  # what is joined keeps no transparency

    def run(crew: Crew) -> Report:
        return ClusterRun(job.pairs, folder, crew, options, told=told, said=said).run()

    def ray_crew(session: Session, most: int) -> Crew:
        from livefilter.cluster.ray_crew import RayCrew

        return RayCrew(session.ray, recipe, str(folder.here), most)

    if own is not None:
        return run(HereFirst(own, recipe, str(folder.here), workers, open_session, ray_crew))
    try:
        session = open_session()
    except BaseException:
        folder.close(finished=not resume)
        raise
    try:
        said(Said(f"Working on {session.where}.{f' Dashboard: {session.dashboard}' if session.dashboard else ''}"))
        return run(ray_crew(session, workers))
    finally:
        session.close()
