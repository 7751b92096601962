"""A TensorRT runtime over the in-memory CUDA, whose one network is the negative of a frame.

Where it takes a strength, it darkens the negative by that; where it tells of people, all that is right of the middle is
a person.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from livefilter.frame import Image
from livefilter.inference.look import PLAIN
from livefilter.inference.ports import NetworkPorts
from tests.inference.fake_cuda import FakeDriver


class _Logger:
    Severity = SimpleNamespace(ERROR=1)

    def __init__(self) -> None:
        pass


def batch_plan(batch: int) -> bytes:
    """A plan that the runtime takes for one of so many frames at once; all others are for one."""
    return b"batch %d" % batch


class FakeRuntime:
    """Stands for the module tensorrt or tensorrt_rtx.

    width, height: of the one engine that it knows. sizes: (smallest, largest) as (width, height), for a range of sizes.
    form: what that engine gives. own: what more its network takes and gives.
    mixes: it draws the first frame of several at once in the place of all.
    refuses: it loads no plan, and says so. runs: how often the network was enqueued.
    alive: how many engines and contexts exist. compiled: what a context found in the kernel cache.
    """

    __name__ = "fake_tensorrt"
    __version__ = "11.0"
    ILogger = _Logger
    TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    DataType = SimpleNamespace(UINT8="uint8", HALF="half", FLOAT="float")
    DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="eager")

    def __init__(
        self,
        driver: FakeDriver,
        width: int,
        height: int,
        refuses: bool = False,
        needs: int = 1000,
        sizes: tuple[tuple[int, int], tuple[int, int]] | None = None,
        form: str = "bgr",
        own: NetworkPorts | None = None,
    ) -> None:
        self.own = own or NetworkPorts()
        self.driver = driver
        self.shape = (1, height, width, 3)
        self.dtype = "uint8"
        self.refuses, self.needs = refuses, needs
        self.sizes, self.form = sizes, form
        self.enqueue_works = True
        self.mixes = False
        self.capturable = True
        self.runs = 0
        self.alive = 0
        self.compiled: list[bytes] = []
        self.strategies: list[str] = []

    def shapes(self, batch: int = 1) -> dict[str, tuple[int, ...]]:
        """Of every tensor, where the size is fixed."""
        _, height, width, _ = self.shape
        whole, half = (batch, *self.shape[1:]), (batch, height // 2, width // 2, 1)
        shapes = {"frame": whole, "look": (4, width, 1), "styled": whole}
        shapes |= {"strength": half} if self.own.strength else {}
        shapes |= {"person": half} if self.own.person else {}
        if self.form == "nv12":
            shapes["styled"] = (batch, height * 3 // 2, width)
        return shapes

    def Runtime(self, logger: Any) -> Any:  # noqa: N802
        assert "cuCtxPushCurrent" in self.driver.calls, "the runtime crashes before CUDA has a context"

        def load(plan: bytes) -> Any:
            if self.refuses:
                logger.log(1, "compute capability\n is not supported")
                return None
            return _Engine(self, int(plan[6:]) if plan.startswith(b"batch ") else 1)

        return SimpleNamespace(deserialize_cuda_engine=load, get_engine_validity=lambda plan: ("INVALID", "CC"))


class _Engine:
    def __init__(self, runtime: FakeRuntime, batch: int) -> None:
        self._runtime, self.batch = runtime, batch
        self._names = list(runtime.shapes())
        self.num_io_tensors = len(self._names)
        self.device_memory_size_v2 = runtime.needs
        runtime.alive += 1

    def __del__(self) -> None:
        assert self._runtime.driver.retained, "the engine outlived the CUDA context"
        self._runtime.alive -= 1

    def get_tensor_name(self, index: int) -> str:
        return self._names[index]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        shape = self._runtime.shapes(self.batch)[name]
        if self._runtime.sizes is None:
            return shape
        return (4, -1, 1) if name == "look" else (1, -1, -1, *shape[3:])

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        assert profile == 0
        assert self._runtime.sizes is not None
        least, most = self._runtime.sizes
        made: dict[str, list[tuple[int, ...]]] = {
            "look": [(4, width, 1) for width, _ in (least, least, most)],
            "frame": [(1, height, width, 3) for width, height in (least, least, most)],
            "strength": [(1, height // 2, width // 2, 1) for width, height in (least, least, most)],
        }
        return made[name]

    def get_tensor_dtype(self, name: str) -> str:
        return "float" if name in ("look", "strength") else self._runtime.dtype

    def get_tensor_mode(self, name: str) -> str:
        return {"frame": "in", "look": "in", "strength": "in", "styled": "out", "person": "out"}[name]

    def create_runtime_config(self) -> Any:
        held: list[bytes] = []

        def deserialize(data: bytes) -> bool:
            held.append(data)
            return data == b"kernels"

        cache = SimpleNamespace(deserialize=deserialize, serialize=lambda: b"kernels", held=held)
        config = SimpleNamespace(create_runtime_cache=lambda: cache)
        config.set_runtime_cache = lambda given: setattr(config, "cache", given)
        return config

    def create_execution_context(self, config: Any = None) -> Any:
        if config is not None:
            self._runtime.compiled += config.cache.held
            self._runtime.strategies.append(config.dynamic_shapes_kernel_specialization_strategy)
        return _Context(self, self._runtime)


class _Context:
    def __init__(self, engine: _Engine, runtime: FakeRuntime) -> None:
        self._engine, self._runtime = engine, runtime
        self._addresses: dict[str, int] = {}
        self._set: set[str] = set()
        self._memory = runtime.driver.cuMemAlloc(runtime.needs)[1]
        runtime.alive += 1

    def __del__(self) -> None:
        assert self._runtime.driver.retained, "the execution context outlived the CUDA context"
        if self._memory in self._runtime.driver.device:
            self._runtime.driver.cuMemFree(self._memory)
        self._runtime.alive -= 1

    def is_stream_capturable(self, stream: int) -> bool:
        return self._runtime.capturable

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert self._runtime.sizes is not None, "a plan of one size has its shapes"
        if name == "frame":
            self._runtime.shape = (1, shape[1], shape[2], 3)
        self._set.add(name)
        return shape == self._runtime.shapes()[name]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._runtime.shapes()[name]

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        driver, shapes = self._runtime.driver, self._runtime.shapes(self._engine.batch)
        if self._runtime.sizes is not None:
            assert self._set == shapes.keys() - {"styled", "person"}, "the plan of a range needs shapes"
        given = driver.read(self._addresses["frame"], int(np.prod(shapes["frame"]))).reshape(shapes["frame"])
        taken = driver.read(self._addresses["styled"], int(np.prod(shapes["styled"]))).reshape(shapes["styled"])
        look = driver.read(self._addresses["look"], 4 * int(np.prod(shapes["look"]))).view(np.float32)
        strength = self._read("strength", np.float32)
        person = self._read("person", np.uint8)

        def compute() -> None:
            self._runtime.runs += 1
            form = self._runtime.form
            plain = form == "bgr" and strength is None and person is None and len(given) == 1
            if plain and np.array_equal(look, PLAIN.columns(look.size // 4).reshape(-1)):
                np.subtract(255, given, out=taken)  # allocates nothing, as a GPU does not
            else:
                share, on_person, least, columns = look.reshape(shapes["look"])
                if person is not None:
                    person[:] = 0
                    person.reshape(shapes["person"])[:, :, shapes["person"][2] // 2 :] = 255
                    share = np.where(np.arange(len(share)) < len(share) // 2, share[:, 0], on_person[:, 0])[:, None]
                for place in range(len(given)):
                    frame = given[0 if self._runtime.mixes else place]
                    styled = 255 - frame
                    if strength is not None:
                        styled = styled - np.uint8(20 * strength.reshape(shapes["strength"])[place].mean())
                    mixed = np.floor(frame * (1 - share) + styled * share + 0.5)
                    styled = np.maximum(mixed, least)[:, columns[:, 0].astype(int)].astype(np.uint8)
                    taken[place] = to_nv12(styled) if form == "nv12" else styled

        driver.calls.append("execute_async_v3")
        driver.enqueue(stream, compute)
        return self._runtime.enqueue_works

    def _read(self, name: str, dtype: type[np.generic]) -> Any:
        shape = self._runtime.shapes(self._engine.batch).get(name)
        if shape is None:
            return None
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._runtime.driver.read(self._addresses[name], count).view(dtype)


def to_nv12(image: Image) -> Image:
    """A BGR picture as OpenCV makes NV12 of it, by way of I420."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    u, v = planes[height * width :].reshape(2, -1)
    colours = np.stack([u, v], axis=1).reshape(height // 2, width)
    return np.concatenate([planes[: height * width].reshape(height, width), colours])
