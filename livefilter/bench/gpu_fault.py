"""Breaks a CUDA context on purpose, in a process of its own: `-m livefilter.bench.gpu_fault BACKEND GPU FILE`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click
import numpy as np

from livefilter.errors import EngineFailed, LivefilterError
from livefilter.inference.base import EngineOptions
from livefilter.inference.cuda.base import Driver
from livefilter.inference.cuda.driver_calls import call, find_device, load_driver
from livefilter.registry import ENGINES

# Writes to address 0, after which the context answers every call with CUDA_ERROR_ILLEGAL_ADDRESS.
_PTX = b"""
.version 6.0
.target sm_50
.address_size 64
.visible .entry fault()
{
    .reg .b64 %address;
    .reg .b32 %value;
    mov.u64 %address, 0;
    mov.u32 %value, 1;
    st.global.u32 [%address], %value;
    ret;
}
\0"""


def break_context(driver: Driver, gpu: int) -> None:
    """Leave the primary context of a GPU unusable."""
    device, _ = find_device(driver, gpu)
    context = call(driver, "cuDevicePrimaryCtxRetain", device)
    call(driver, "cuCtxPushCurrent", context)
    function = call(driver, "cuModuleGetFunction", call(driver, "cuModuleLoadData", _PTX), b"fault")
    call(driver, "cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, driver.CUstream(0), 0, 0)
    driver.cuCtxSynchronize()
    driver.cuCtxPopCurrent()
    driver.cuDevicePrimaryCtxRelease(device)


def main(backend: str, gpu: int, network: Path) -> int:
    """Style a frame, break the context, style with an engine opened anew, as a live run does; 0 when it draws the same.

    Else the reason and 1.
    """
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    options = EngineOptions(gpu=gpu)
    engine = ENGINES.load(backend)(network, 256, 256, options)
    before = engine.run(image).copy()
    break_context(load_driver(), gpu)
    try:
        with contextlib.suppress(EngineFailed):
            engine.run(image)
        engine.close()
        same = bool(np.array_equal(ENGINES.load(backend)(network, 256, 256, options).run(image), before))
    except LivefilterError as error:
        click.echo(str(error))
        return 1
    click.echo("the engine was opened again" + ("" if same else ", but the picture is another one"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
