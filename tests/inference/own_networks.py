"""Networks of livefilter's own kind with what a style may leave out: a strength, and where people are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from livefilter.frame import Image
from livefilter.inference.base import EngineInfo, EngineOptions
from livefilter.inference.look import ComposingEngine, Look


def write_own_network(path: Path, *, strength: bool = True, person: int = 1, crisp: int = 0) -> Path:
    """A small generator with random weights, the same each time; how strong it draws shows at a glance.

    person, crisp: as of Design.
    """
    import torch

    from livefilter.generator.export import export
    from livefilter.generator.network import Design, Generator

    torch.manual_seed(3)
    generator = Generator(Design(8, 8, 8, eighth_blocks=1, strength=int(strength), person=person, crisp=crisp))
    if strength:
        generator.head.weight.data[:, 3] *= 3
    export(generator, path)
    return path


def drawn_by(path: Path, image: Image, strength: float) -> tuple[Image, Image | None]:
    """What PyTorch makes of a frame with a plane of that strength: the drawing, and where people are."""
    import torch

    from livefilter.generator.rebuild import generator_from_onnx

    generator = generator_from_onnx(path)
    planes = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None] / 127.5 - 1
    plane = torch.full((1, generator.design.strength, *image.shape[:2]), strength)
    with torch.no_grad():
        drawn, person = generator.draw(torch.cat([planes, plane], 1))
    levels = (drawn * 127.5 + 128).clamp(0, 255)[0].permute(1, 2, 0).numpy().astype(np.uint8)
    return levels, None if person is None else (person[0, 0].sigmoid() * 255 + 0.5).numpy().astype(np.uint8)


class GraphEngine(ComposingEngine):
    """The graph that TensorRT gets, run by ONNX Runtime."""

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        from livefilter.generator.onnx_network import fix_size, load_network, network_ports
        from livefilter.tensorrt.look_graph import add_frame_extras

        model = fix_size(load_network(network), width, height)
        ports = network_ports(model.graph)
        self.takes_strength, self.gives_person = ports.strength, ports.person
        self.info = EngineInfo("graph", "CPU", "float32", width, height)
        data = add_frame_extras(model).SerializeToString()
        self._session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        self._person: Image | None = None

    @property
    def person(self) -> Image | None:
        return self._person

    def compose(self, image: Image, look: Look) -> Image:
        given: dict[str, Any] = {"frame": image[None], "look": look.columns(self.info.width, self.takes_strength)}
        if self.takes_strength:
            half = (1, self.info.height // 2, self.info.width // 2, 1)
            given["strength"] = np.full(half, look.strength, np.float32)
        made = self._session.run(["styled", "person"] if self.gives_person else ["styled"], given)
        self._person = made[1][0, :, :, 0] if self.gives_person else None
        styled: Image = made[0][0]
        return styled

    def close(self) -> None:
        """ONNX Runtime frees itself."""
