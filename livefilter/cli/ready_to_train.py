"""What every command that trains does first."""

from __future__ import annotations

import importlib.util
import logging

from livefilter.errors import InvalidInput, install_extra


def ready_to_train(*packages: str, threads: int = 0) -> None:
    """Check for packages beside torch, show the log of a training, and set torch's threads; 0 leaves them to it.

    Raises: InvalidInput: a package is missing, or there are less than no threads.
    """
    if threads < 0:
        raise InvalidInput(f"--threads {threads} must be 0, which leaves the number to torch, or more.")
    for package in ("torch", *packages):
        if importlib.util.find_spec(package) is None:
            raise InvalidInput(f"Training needs {package}, which is not installed: {install_extra('training')}")
    import cv2
    import torch

    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("livefilter.training").setLevel(logging.INFO)  # a run of hours that says nothing looks stuck
    if threads:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)
