# What livefilter asks of TensorRT-RTX alone; all else is in the stub of tensorrt. A test proves that these names exist.
import tensorrt
from typing_extensions import Buffer

class IRuntimeCache:
    def serialize(self) -> tensorrt.IHostMemory: ...
    def deserialize(self, blob: Buffer) -> bool: ...

class DynamicShapesKernelSpecializationStrategy:
    LAZY: DynamicShapesKernelSpecializationStrategy
    EAGER: DynamicShapesKernelSpecializationStrategy
    NONE: DynamicShapesKernelSpecializationStrategy

class BuilderFlag(tensorrt.BuilderFlag):
    REQUIRE_USER_ALLOCATION: BuilderFlag

class ComputeCapability:
    SM75: ComputeCapability

class IBuilderConfig(tensorrt.IBuilderConfig):
    num_compute_capabilities: int
    def set_compute_capability(self, compute_capability: ComputeCapability, index: int) -> bool: ...

class IExecutionContext(tensorrt.IExecutionContext):
    def is_stream_capturable(self, stream: int) -> bool: ...

class IRuntimeConfig:
    dynamic_shapes_kernel_specialization_strategy: DynamicShapesKernelSpecializationStrategy
    def create_runtime_cache(self) -> IRuntimeCache: ...
    def set_runtime_cache(self, cache: IRuntimeCache) -> bool: ...

class ICudaEngine(tensorrt.ICudaEngine):
    def create_runtime_config(self) -> IRuntimeConfig: ...
    def create_execution_context(self, runtime_config: IRuntimeConfig) -> IExecutionContext | None: ...  # type: ignore[override]

class Runtime(tensorrt.Runtime):
    def get_engine_validity(self, buffer: Buffer) -> tuple[object, object]: ...
