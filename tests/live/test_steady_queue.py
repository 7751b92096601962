"""The hand-over that evens out frames which are ready now early and now late."""

from __future__ import annotations

import pytest

from livefilter.live.steady_queue import SteadyQueue
from livefilter.mailbox import MailboxClosed


def test_two_frames_of_one_beat_leave_in_two() -> None:
    """A frame that was late and the next one, which was not, are both shown."""
    queue: SteadyQueue[int] = SteadyQueue()
    queue.put(1)
    queue.put(2)
    assert queue.waiting == 2
    assert [queue.get(0), queue.get(0), queue.get(0)] == [1, 2, None]
    assert queue.dropped == 0


def test_a_third_frame_takes_the_place_of_the_oldest() -> None:
    """No more than two wait, so that nothing gets older than that."""
    queue: SteadyQueue[int] = SteadyQueue()
    for number in (1, 2, 3):
        queue.put(number)
    assert [queue.get(0), queue.get(0)] == [2, 3]
    assert queue.dropped == 1


def test_a_reserve_that_is_never_needed_goes() -> None:
    """After three seconds of even frames the one in reserve is given up, and frames are as young as before."""
    queue: SteadyQueue[int] = SteadyQueue()
    queue.put(0)
    taken = []
    for number in range(1, 120):
        queue.put(number)
        taken.append(queue.get(0))
    assert taken[:3] == [0, 1, 2]
    assert taken[-1] == 119
    assert queue.dropped == 1


def test_without_reserves_the_newest_wins() -> None:
    """Where the promised age leaves no time for it, nothing waits behind another frame."""
    wanted = True
    queue: SteadyQueue[int] = SteadyQueue(lambda: wanted)
    queue.put(1)
    queue.put(2)
    wanted = False
    queue.put(3)
    assert (queue.get(0), queue.get(0), queue.dropped) == (3, None, 2)


def test_what_was_laid_down_before_the_end_still_comes_out() -> None:
    """A queue that is closed hands over what is in it, and then says that it is closed."""
    queue: SteadyQueue[int] = SteadyQueue()
    queue.put(1)
    queue.put(2)
    queue.close()
    assert [queue.get(), queue.get()] == [1, 2]
    with pytest.raises(MailboxClosed):
        queue.get()
    with pytest.raises(MailboxClosed):
        queue.put(3)
