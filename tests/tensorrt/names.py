"""What a stub names and a real TensorRT module lacks: `python tensorrt_names.py MODULE STUB...` prints it as JSON.

A program of its own, because two TensorRT modules cannot be loaded into one process.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def missing_names(module: Any, stub: ast.Module) -> list[str]:
    """Dotted names, and arguments as "Class.method(argument)", that `stub` has and `module` has not."""
    return [*_missing(stub.body, module, "")]


def _missing(body: list[ast.stmt], real: Any, path: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        else:
            continue
        if name.startswith("_") and name not in ("__version__", "__init__"):
            continue
        found = getattr(real, name, None)
        if found is None:
            yield f"{path}{name}"
        elif isinstance(node, ast.ClassDef):
            yield from _missing(node.body, found, f"{path}{name}.")
        elif isinstance(node, ast.FunctionDef) and not node.decorator_list:
            yield from (f"{path}{name}({argument})" for argument in _refused(node, found.__doc__ or ""))


def _refused(node: ast.FunctionDef, doc: str) -> list[str]:
    """The arguments of a stub's function that no one signature in the real one's docstring has."""
    wanted = [argument.arg for argument in node.args.args if argument.arg != "self"]
    signatures = re.findall(rf"^(?:\d+\. )?{node.name}\((?!\*args, \*\*kwargs\))(.*)\)", doc, re.MULTILINE)
    refused = [[name for name in wanted if not re.search(rf"\b{name}: ", text)] for text in signatures]
    return min(refused, key=len) if refused else []


if __name__ == "__main__":
    loaded = importlib.import_module(sys.argv[1])
    stubs = [ast.parse(Path(path).read_text(encoding="utf-8")) for path in sys.argv[2:]]
    lacking = [name for stub in stubs for name in missing_names(loaded, stub)]
    sys.stdout.write(json.dumps({"version": loaded.__version__, "missing": lacking}))
