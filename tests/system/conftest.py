"""The guest's drivers, fresh for each test; outside the guest every system test is skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livefilter.frame import Image
from tests.system.devices import load_drivers, picture_of_camera
from tests.system.guests import INSIDE
from tests.system.program import Program
from tests.system.styles import write_styles
from tests.system.viewer import Viewer


@pytest.fixture(scope="session")
def guest() -> str:
    """The name of the guest that this runs in."""
    name = os.environ.get(INSIDE)
    if name is None:
        pytest.skip("loads and unloads kernel modules, so it runs in a guest only: python -m tests.system")
    return name


@pytest.fixture(scope="session")
def data(guest: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's data folder that holds the test styles."""
    folder = tmp_path_factory.mktemp("data")
    write_styles(folder)
    return folder


@pytest.fixture
def raw(guest: str) -> Image:
    """Fresh drivers, and one raw frame of the webcam."""
    load_drivers()
    return picture_of_camera()


@pytest.fixture
def start(data: Path, raw: Image) -> Iterator[Callable[..., Program]]:
    """Starts `livefilter run`; whatever still runs in the end is killed, and what it said is shown."""
    running: list[Program] = []

    def begin(*arguments: str, **options: object) -> Program:
        running.append(Program(data, *arguments, **options))  # type: ignore[arg-type]
        return running[-1]

    yield begin
    for program in running:
        program.kill()
        print(*program.lines, sep="\n")  # noqa: T201


@pytest.fixture
def view() -> Iterator[Callable[..., Viewer]]:
    """Opens viewers; they are closed in the end."""
    viewers: list[Viewer] = []

    def begin(device: str, *, keep: bool = False) -> Viewer:
        viewers.append(Viewer(device, keep=keep))
        return viewers[-1]

    yield begin
    for viewer in viewers:
        viewer.close()
