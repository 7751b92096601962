"""The process that reads a stranger's file; started by `import_apart`, which ends it when it takes too long.

Arguments: the file's name in this folder, and the bytes of memory that may be taken. It leaves result.json, with the
facts or the error, and beside it the network and a picture.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from livefilter.errors import InvalidInput, LivefilterError
from livefilter.generator.import_apart import NETWORK, PICTURE, RESULT, facts
from livefilter.generator.importing import ImportedGenerator, import_generator

_PICTURE_SIDE = 320


def main() -> int:
    """Import; 0 whether it is a generator or not."""
    name, memory = sys.argv[1], int(sys.argv[2])
    _limit(memory)
    try:
        from livefilter.inference.onnxruntime import OnnxRuntimeCpu

        incoming = import_generator(Path(name), OnnxRuntimeCpu)
        picture = before_and_after(incoming)
        Path(NETWORK).write_bytes(incoming.data)
        Path(PICTURE).write_bytes(picture)
        said: dict[str, Any] = {"facts": facts(incoming)}
    except LivefilterError as error:
        said = {"error": str(error), "kind": type(error).__name__}
    except MemoryError:
        said = {"error": f"{name} needs more than {memory / (1 << 30):.1f} GiB of memory.", "kind": "InvalidInput"}
    except RecursionError:
        said = {"error": f"{name} is nested too deeply to be read.", "kind": "InvalidInput"}
    if "bad_alloc" in str(said.get("error")) or "can't allocate memory" in str(said.get("error")):
        said["error"] = f"{name} needs more than {memory / (1 << 30):.1f} GiB of memory."
    Path(RESULT).write_text(json.dumps(said), encoding="utf-8")
    return 0


def before_and_after(incoming: ImportedGenerator) -> bytes:
    """The demo photo and what the network makes of it, side by side, as JPEG.

    Raises: InvalidInput, EngineError.
    """
    import cv2
    import numpy as np

    from livefilter.inference.styler import Styler
    from livefilter.styles.network import Network
    from livefilter.tensorrt.check_pictures import check_pictures

    side = _PICTURE_SIDE // incoming.accepts.multiple * incoming.accepts.multiple
    before = check_pictures(side, side)["photo"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NETWORK
        path.write_bytes(incoming.data)
        styler = Styler(Network("imported", "full", path, "", accepts=incoming.accepts), "onnxruntime")
        try:
            after = styler(before)
        finally:
            styler.close()
    done, jpeg = cv2.imencode(".jpg", np.hstack([before, after]), [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise InvalidInput("The picture for the card cannot be compressed: OpenCV here has no JPEG.")
    return jpeg.tobytes()


def _limit(memory: int) -> None:
    """Bound this process where the system can: its own memory, and no dump of it when it breaks."""
    try:
        import resource
    except ImportError:  # Windows: the watching process does it alone
        return
    # What is private and can be written counts (RLIMIT_DATA); libraries' files and address space set aside do not.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
