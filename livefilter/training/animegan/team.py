"""The processes that train one network together."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as dist

from livefilter.errors import InvalidInput

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Team:
    """This process's place among `size` processes, and the device it computes on."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, batch: int) -> tuple[int, int]:
        """The rows of a batch that this process takes: first, and one after the last.

        Raises: InvalidInput: the batch cannot be shared out evenly, and the result would depend on the number of
            processes.
        """
        if batch % self.size:
            raise InvalidInput(f"A batch of {batch} cannot be shared by {self.size} processes. Use a multiple.")
        part = batch // self.size
        return self.rank * part, (self.rank + 1) * part

    def wrap(self, network: Network) -> nn.Module:
        """A network whose gradients are averaged over the team; alone, the network itself.

        Buffers are not broadcast: every process computes the same ones, and a copy in the middle of a step would
        invalidate it.
        """
        if self.size == 1:
            return network
        devices = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices, broadcast_buffers=False)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the team; a collective call."""
        if self.size > 1:
            dist.all_reduce(values)
        return values / self.size


@contextlib.contextmanager
def gathered(device: str) -> Iterator[Team]:
    """Join the processes that torchrun started, or stand alone where it did not.

    device: "auto", "cpu" or "cuda"; with several processes each takes the GPU of its local rank.
    Raises: InvalidInput: the device is not there.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    size = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if chosen == "cuda":
        count = torch.cuda.device_count()
        if local >= count:
            raise InvalidInput(f"Process {local} has no GPU: there are {count}. Start fewer, or use --device cpu.")
        torch.cuda.set_device(local)
    place = torch.device("cuda", local) if chosen == "cuda" else torch.device("cpu")
    if size == 1:
        yield Team(place)
        return
    dist.init_process_group("nccl" if chosen == "cuda" else "gloo")
    try:
        yield Team(place, dist.get_rank(), size)
    finally:
        dist.destroy_process_group()
