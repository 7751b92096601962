"""What engines share that take frames from the processor's memory and draw into it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from livefilter.errors import EngineFailed
from livefilter.frame import Image
from livefilter.inference.base import Engine
from livefilter.inference.checks import closed, one_line, require_frame
from livefilter.inference.ports import FRAME, PERSON, STRENGTH, STYLED, NetworkPorts, StrengthPlane, person_buffer


class HostEngine(Engine):
    """Its buffers live as long as it does, so a frame is copied once and allocates nothing."""

    def run(self, image: Image, strength: float = 1.0) -> Image:
        return self.run_batch([image], [strength])[0][0]

    def run_batch(self, images: Sequence[Image], strengths: Sequence[float]) -> list[tuple[Image, Image | None]]:
        if not self._is_open():
            raise closed(self.info)
        for taken, image in zip(self._input, images, strict=True):
            require_frame(image, self.info)
            np.copyto(taken, image)
        changed = self.takes_strength and self._strength.set(strengths)
        try:
            self._draw(changed)
        except Exception as error:
            raise EngineFailed(
                f"{self.info.backend} failed on a frame of {self.info.width}x{self.info.height} on {self.info.device}: "
                f"{one_line(error)}. Try --backend onnxruntime or a smaller --process-size."
            ) from error
        people = self._person[:, :, :, 0] if self.gives_person else [None] * len(images)
        return list(zip(self._output, people, strict=True))

    @property
    def person(self) -> Image | None:
        return self._person[0, :, :, 0] if self.gives_person else None

    def _make_buffers(self, ports: NetworkPorts, width: int, height: int, batch: int) -> dict[str, Any]:
        """The buffers of what the network takes and gives, by its names for them."""
        self.takes_strength, self.gives_person = ports.strength, ports.person
        self._input, self._output = (np.zeros((batch, height, width, 3), np.uint8) for _ in range(2))
        self._strength, self._person = StrengthPlane(width, height, batch), person_buffer(width, height, batch)
        strength = {STRENGTH: self._strength.values} if ports.strength else {}
        person = {PERSON: self._person} if ports.person else {}
        return {FRAME: self._input, **strength, STYLED: self._output, **person}

    @abstractmethod
    def _is_open(self) -> bool:
        """Whether it was not closed yet."""

    @abstractmethod
    def _draw(self, strength_changed: bool) -> None:
        """Run the network from buffer to buffer. Raises: whatever its runtime does.

        strength_changed: the buffer of the strength was written since the last time.
        """
