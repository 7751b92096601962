"""Batches made ahead of the step that needs them."""

from __future__ import annotations

import signal
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2

from livefilter.errors import InvalidInput
from livefilter.training.sampler import Batch, Sampler


def in_background(sampler: Sampler, first: int, last: int, workers: int = 0) -> Generator[Batch, None, None]:
    """Yield the batches of steps `first` to `last` - 1, made some steps ahead in a thread, or in `workers` processes.

    A thread keeps up with a processor that trains, not with a graphics card. Processes begin as the system's default
    is: on Linux before Python 3.14 as forks, which share the pictures; elsewhere each gets a copy of them.

    Raises: InvalidInput: a process was ended from outside, as for want of memory.
    """
    pool: Executor
    if workers:
        cv2.setNumThreads(1)  # before they begin: a fork that is to stop threads that it has not got hangs
        pool, batch = ProcessPoolExecutor(workers, initializer=_keep, initargs=(sampler,)), _batch_of_kept
    else:
        pool, batch = ThreadPoolExecutor(1, thread_name_prefix="batches"), sampler.batch
    ahead = 4 + 2 * workers
    with pool:
        waiting = [pool.submit(batch, step) for step in range(first, min(first + ahead, last))]
        try:
            for step in range(first, last):
                made = waiting.pop(0).result()
                if step + ahead < last:
                    waiting.append(pool.submit(batch, step + ahead))
                yield made
        except BrokenProcessPool as error:
            raise InvalidInput(
                "A process that makes batches was ended from outside, perhaps for want of memory. Run the same command "
                "with fewer --workers: it continues at the last checkpoint."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


_kept: Sampler | None = None


def _keep(sampler: Sampler) -> None:
    """Begin a process: take the sampler, so that its pictures are handed over once, and leave Ctrl-C to the parent."""
    global _kept
    _kept = sampler
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _batch_of_kept(step: int) -> Batch:
    assert _kept is not None
    return _kept.batch(step)
