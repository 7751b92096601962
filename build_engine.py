"""Build TensorRT engines: `python build_engine.py hayao --size 1280x720` is `livefilter build` of the same."""

from __future__ import annotations

import sys

from livefilter.cli.main import main

if __name__ == "__main__":
    main(["build", *sys.argv[1:]])
