"""What both implementations do through cuda-bindings: find the GPU, and capture and launch graphs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from livefilter.errors import BackendUnavailable, GpuFault
from livefilter.inference.cuda.base import CAPTURING, CudaDevice, Driver, Graph
from livefilter.inference.hardware import TURING

INSTALL = 'pip install "cuda-bindings>=12.8,<14"'
_NEW_DRIVER = "Install a driver, 580 or later, from https://www.nvidia.com/drivers, or use --backend auto."
_NO_DEVICE = 100
# After these the context answers every call with the same error (CUDA driver API, CUresult).
_LOSING = frozenset({4, 214, 304, 401, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 999})


def load_driver() -> Driver:
    """Import cuda.bindings.driver.

    Raises: BackendUnavailable: with the command that installs it.
    """
    try:
        return importlib.import_module("cuda.bindings.driver")
    except (ImportError, OSError) as error:
        raise BackendUnavailable(
            f"CUDA cannot be reached from Python, because cuda-bindings does not load ({error}). Install it: {INSTALL}"
        ) from error


def find_device(driver: Driver, number: int) -> tuple[Any, CudaDevice]:
    """Start the driver and find a GPU by its number.

    Raises: BackendUnavailable: no driver, no such GPU, or one too old for TensorRT; with the fix.
    """
    try:
        status = int(driver.cuInit(0)[0])
    except Exception as error:  # cuda-bindings raises its own kinds where there is no driver library
        raise BackendUnavailable(f"This machine has no NVIDIA driver. {_NEW_DRIVER}") from error
    if status not in (0, _NO_DEVICE):
        raise BackendUnavailable(f"The NVIDIA driver does not start ({describe(driver, status)}). {_NEW_DRIVER}")
    count = int(call(driver, "cuDeviceGetCount")) if status == 0 else 0
    if count == 0:
        raise BackendUnavailable(f"The NVIDIA driver finds no GPU. {_NEW_DRIVER}")
    if not 0 <= number < count:
        numbers = "only GPU 0" if count == 1 else f"GPUs 0 to {count - 1}"
        raise BackendUnavailable(f"There is no GPU {number}: this machine has {numbers}. Choose one with --gpu.")
    device = call(driver, "cuDeviceGet", number)
    name = bytes(call(driver, "cuDeviceGetName", 128, device)).split(b"\0")[0].decode(errors="replace")
    attribute = driver.CUdevice_attribute
    major = int(call(driver, "cuDeviceGetAttribute", attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device))
    minor = int(call(driver, "cuDeviceGetAttribute", attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device))
    facts = CudaDevice(number, name or "NVIDIA GPU", (major, minor))
    if facts.capability < TURING:
        raise BackendUnavailable(
            f"{facts.name} (GPU {number}) is too old for TensorRT: it has compute capability {major}.{minor}, and 7.5 "
            "(GeForce RTX 20, GTX 16, T4) is needed. Use --backend onnxruntime-cuda, or another GPU with --gpu."
        )
    return device, facts


def call(driver: Driver, name: str, *arguments: Any) -> Any:
    """Call a function of the driver and return its one value, a tuple of several, or None.

    Raises: GpuFault.
    """
    status, *values = getattr(driver, name)(*arguments)
    if int(status) != 0:
        raise fault(driver, name, int(status))
    return values[0] if len(values) == 1 else tuple(values) or None


def fault(driver: Driver, name: str, status: int) -> GpuFault:
    """The error for a call that did not succeed."""
    advice = " Close other programs that use the GPU, or use a smaller --process-size." if status == 2 else ""
    return GpuFault(f"{name} failed on the GPU: {describe(driver, status)}.{advice}", lost=status in _LOSING)


def describe(driver: Driver, status: int) -> str:
    """A status in CUDA's own words, such as "CUDA_ERROR_ILLEGAL_ADDRESS"."""
    try:
        return str(driver.CUresult(status).name)
    except ValueError:
        return f"CUDA error {status}"


class GraphCalls:
    """Captures and launches graphs on a stream, and frees them; pycuda has none of these calls."""

    def __init__(self, driver: Driver, stream: int) -> None:
        self._driver = driver
        self._stream = driver.CUstream(stream)
        self._graphs: list[tuple[Any, Any]] = []

    def capture(self, work: Callable[[], None]) -> Graph:
        """Record what `work` enqueues on this thread, without running it, and send it to the GPU."""
        # Thread-local: another thread, such as an encoder's, may allocate while we record.
        mode = self._driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        with CAPTURING:
            call(self._driver, "cuStreamBeginCapture", self._stream, mode)
            try:
                work()
            except BaseException:
                status, remains = self._driver.cuStreamEndCapture(self._stream)
                if int(status) == 0 and remains is not None:
                    self._driver.cuGraphDestroy(remains)
                raise
            graph = call(self._driver, "cuStreamEndCapture", self._stream)
        try:
            executable = call(self._driver, "cuGraphInstantiate", graph, 0)
        except GpuFault:
            self._driver.cuGraphDestroy(graph)
            raise
        self._graphs.append((graph, executable))
        call(self._driver, "cuGraphUpload", executable, self._stream)
        return Graph(executable)

    def launch(self, executable: Graph) -> None:
        """Enqueue a recording."""
        call(self._driver, "cuGraphLaunch", executable, self._stream)

    def close(self) -> None:
        """Free all recordings."""
        while self._graphs:
            graph, executable = self._graphs.pop()
            self._driver.cuGraphExecDestroy(executable)
            self._driver.cuGraphDestroy(graph)
