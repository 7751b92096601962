"""`python -m tools.levers`: compare forms of each network on an NVIDIA GPU."""

from __future__ import annotations

from livefilter.bench.gpu_command import command
from tools.levers.gpu import GpuLevers

main = command(GpuLevers, "Compare forms of networks and of engines on an NVIDIA GPU.")

if __name__ == "__main__":
    main()
