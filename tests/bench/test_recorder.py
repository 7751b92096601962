"""What is recorded, and what is left out."""

from __future__ import annotations

from livefilter.bench.probe import ProbeSink
from livefilter.bench.recorder import Recorder
from livefilter.frame import Frame
from tests.conftest import frame, picture
from tests.fakes import FakeSink


def test_the_warm_up_is_forgotten() -> None:
    """Only what comes between `begin` and `end` is kept."""
    now = [10.0]
    recorder = Recorder(clock=lambda: now[0])
    recorder.record("inference", 9.0)
    recorder.count("styled")
    recorder.note_sent(1.0, 1)
    recorder.begin()
    recorder.record("inference", 0.5)
    recorder.count("styled")
    recorder.note_sent(2.0, 2)
    recorder.note_sent(3.0, None)
    now[0] = 12.5
    window = recorder.end()
    recorder.record("inference", 9.0)
    assert window.stages == {"inference": [0.5]}
    assert (window.sends, window.beats, window.styled, window.duration_s) == ([2.0, 3.0], [2], 1, 2.5)


def test_the_pipelines_own_waits_are_no_stage() -> None:
    """Its capture waits for the camera and its output repeats frames: those come from the benchmark's own parts."""
    recorder = Recorder()
    recorder.begin()
    for stage in ("capture", "output", "age", "preprocess"):
        recorder.record(stage, 1.0)
    assert recorder.end().stages == {"preprocess": [1.0]}


def sent(beat: int) -> Frame:
    """A frame of a source at 10 fps."""
    return Frame(picture(), beat, captured_at=0.0, media_s=beat / 10.0)


def test_a_live_probe_passes_repeats_on_and_counts_them_once() -> None:
    """The outputs get every frame; beats, ages and output times are of new frames only."""
    recorder, sink = Recorder(), FakeSink()
    probe = ProbeSink([sink], 10.0, recorder, repeats=True)
    recorder.begin()
    for beat in (0, 0, 1, 3, 3):
        probe.send(sent(beat))
    window = recorder.end()
    assert len(sink.sent) == len(window.sends) == 5
    assert window.beats == [0, 1, 3]
    assert len(window.stages["age"]) == len(window.stages["output"]) == 3


def test_a_throughput_probe_sends_each_frame_once() -> None:
    """Flat out, the pipeline's outputs have as much work for each frame as the naive loop's."""
    recorder, sink = Recorder(), FakeSink()
    probe = ProbeSink([sink], 10.0, recorder, repeats=False)
    recorder.begin()
    for beat in (0, 0, 0, 1):
        probe.send(sent(beat))
    assert [each.number for each in sink.sent] == [0, 1]
    assert len(recorder.end().sends) == 2


def test_a_card_is_no_frame_of_the_source() -> None:
    """A picture without a place in the source counts as a repeat."""
    recorder, sink = Recorder(), FakeSink()
    probe = ProbeSink([sink], 10.0, recorder, repeats=True)
    recorder.begin()
    probe.send(frame())
    assert recorder.end().beats == []
    probe.close()
    assert sink.closed >= 1
