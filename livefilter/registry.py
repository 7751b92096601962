"""Name -> class, imported only when chosen: a backend that is not used costs nothing and cannot break anything."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

from livefilter.errors import UnknownName


class Registry:
    """A table of backends of one kind, each named as "module:Class"."""

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self._kind = kind
        self._entries = entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def load(self, name: str) -> Any:
        """Import and return the class registered under `name`.

        Raises: UnknownName: names the nearest known one.
        """
        try:
            module, _, attribute = self._entries[name].partition(":")
        except KeyError:
            raise UnknownName(self._kind, name, self._entries) from None
        return getattr(importlib.import_module(module), attribute)


SOURCES = Registry(
    "input",
    {
        "camera": "livefilter.capture.v4l2_camera:V4l2CameraSource"
        if sys.platform.startswith("linux")
        else "livefilter.capture.camera:CameraSource",
        "file": "livefilter.capture.video_file:VideoFileSource",
        "stream": "livefilter.capture.stream:open_stream",
        "screen": "livefilter.capture.screen:ScreenSource",
        "image": "livefilter.capture.image:ImageSource",
        "demo": "livefilter.capture.demo:DemoSource",
    },
)

ENGINES = Registry(
    "backend",
    {
        "tensorrt": "livefilter.tensorrt.engine:TensorRTEngine",
        "tensorrt-rtx": "livefilter.tensorrt.engine:TensorRTRtxEngine",
        "torch": "livefilter.inference.torch_cuda:TorchCudaEngine",
        "onnxruntime": "livefilter.inference.onnxruntime:OnnxRuntimeCpu",
        "onnxruntime-cuda": "livefilter.inference.onnxruntime_gpu:OnnxRuntimeCuda",
        "onnxruntime-tensorrt": "livefilter.inference.onnxruntime_gpu:OnnxRuntimeTensorRT",
        "onnxruntime-tensorrt-rtx": "livefilter.inference.onnxruntime_gpu:OnnxRuntimeTensorRTRtx",
        "onnxruntime-directml": "livefilter.inference.onnxruntime_gpu:OnnxRuntimeDirectML",
        "onnxruntime-coreml": "livefilter.inference.onnxruntime_gpu:OnnxRuntimeCoreML",
        "openvino": "livefilter.inference.openvino:OpenVINOEngine",
        "identity": "livefilter.inference.identity:IdentityEngine",
    },
)

SINKS = Registry(
    "output",
    {
        "camera": "livefilter.output.camera.virtual_camera:VirtualCameraSink",
        "pipewire": "livefilter.output.camera.pipewire:PipeWireSink",
        "window": "livefilter.output.screen.window:WindowSink",
        "page": "livefilter.output.page:PageSink",
        "record": "livefilter.output.video.recording:RecordingSink",
        "stream": "livefilter.output.video.stream:StreamSink",
        "null": "livefilter.output.null:NullSink",
    },
)

TRIGGERS = Registry(
    "trigger",
    {
        "keys": "livefilter.control.global_keys:GlobalKeys",
        "portal": "livefilter.control.portal:PortalShortcuts",
        "midi": "livefilter.control.midi:MidiPads",
        "osc": "livefilter.control.osc:OscTrigger",
    },
)
