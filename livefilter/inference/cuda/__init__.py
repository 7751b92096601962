"""CUDA behind one small interface: `open_cuda` gives a `Cuda`."""

from livefilter.inference.cuda.base import Cuda as Cuda
from livefilter.inference.cuda.base import CudaDevice as CudaDevice
from livefilter.inference.cuda.base import Graph as Graph
from livefilter.inference.cuda.base import Memory as Memory
from livefilter.inference.cuda.opening import open_cuda as open_cuda
