"""The branch of a generator that finds people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

from livefilter.generator.export import to_onnx  # noqa: E402
from livefilter.generator.network import Design, Generator  # noqa: E402
from livefilter.styles.network_edit import gives, without_output  # noqa: E402
from tests.conftest import picture  # noqa: E402

DESIGN = Design(8, 16, 16, half_convs=1, eighth_blocks=2, dilation=2, strength=1, person=2)


def network(design: Design = DESIGN) -> Generator:
    """Random weights that are whole as float16."""
    torch.manual_seed(2)
    made = Generator(design)
    with torch.no_grad():
        for values in made.parameters():
            values.copy_(values.half().float())
    return made.eval()


@pytest.mark.parametrize(("width", "height"), [(8, 8), (24, 40), (96, 64), (56, 72)])
def test_it_tells_at_half_the_size_whatever_divides_it(width: int, height: int) -> None:
    """Sides that 16 and 32 do not divide are no matter, in PyTorch and in the file, which agree to a level."""
    frame, made = picture(width, height), network(replace(DESIGN, strength=0))
    planes = torch.from_numpy(frame.transpose(2, 0, 1).astype(np.float32))[None] / 127.5 - 1.0
    with torch.no_grad():
        drawn, likely = made.draw(planes)
        assert likely is not None
        assert torch.equal(made.find(planes), likely)
    assert (drawn.shape, likely.shape) == ((1, 3, height, width), (1, 1, height // 2, width // 2))
    session = onnxruntime.InferenceSession(to_onnx(made).SerializeToString(), providers=["CPUExecutionProvider"])
    person = session.run(["person"], {"frame": frame[None]})[0][0, :, :, 0]
    wanted = (likely[0, 0].sigmoid() * 255 + 0.5).numpy().astype(int)
    assert np.abs(person - wanted).max() <= 1


def test_the_drawing_does_not_know_of_it() -> None:
    """With it every byte of a drawing is as it was; without the output the file is the one without the branch."""
    made, frame = network(), picture(96, 64)
    data = to_onnx(made).SerializeToString()
    made.without_person()
    before = to_onnx(made).SerializeToString()
    given = {"frame": frame[None], "strength": np.ones((1, 1, 1, 1), np.float32)}
    drawn = [
        onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"]).run(["styled"], given)[0]
        for each in (before, data)
    ]
    assert np.array_equal(*drawn)
    assert (gives(data, "person"), gives(before, "person")) == (True, False)
    assert onnx.load_model_from_string(without_output(data, "person")) == onnx.load_model_from_string(before)
    assert without_output(before, "person") == before
    with pytest.raises(ValueError, match="no ONNX file"):
        without_output(data[:-9], "person")
