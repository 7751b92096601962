"""livefilter devices: what can be captured on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from livefilter.capture.camera_description import CameraDescription
from livefilter.capture.listing import camera_modes, list_cameras
from livefilter.capture.mode import Mode
from livefilter.capture.modes import understood
from livefilter.capture.screens import ScreenDescription, list_screens
from livefilter.cli.console import open_console, print_table
from livefilter.errors import LivefilterError


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def devices(as_json: bool) -> None:
    """List the cameras and screens that --input can name."""
    cameras: list[CameraDescription] = []
    screens: list[ScreenDescription] = []
    problems: list[str] = []
    try:
        cameras = list_cameras()
    except LivefilterError as error:
        problems.append(f"Cameras: {error}")
    try:
        screens = list_screens()
    except LivefilterError as error:
        problems.append(f"Screens: {error}")
    if as_json:
        print(json.dumps(_as_data(cameras, screens, problems), indent=2))
        return
    console = open_console()
    if cameras:
        print_table(console, _camera_table(cameras))
    else:
        console.print("No camera found. Plug one in; until then --input demo shows a built-in scene.")
    if screens:
        print_table(console, _screen_table(screens))
    for problem in problems:
        console.print(problem, markup=False, highlight=False)


def _as_data(
    cameras: list[CameraDescription], screens: list[ScreenDescription], problems: list[str]
) -> dict[str, object]:
    listed = [
        {
            "index": camera.index,
            "name": camera.name,
            "path": camera.path,
            "bus": camera.bus,
            "virtual": camera.virtual,
            "modes": [asdict(mode) for mode in camera_modes(camera)],
        }
        for camera in cameras
    ]
    return {"cameras": listed, "screens": [asdict(screen) for screen in screens], "problems": problems}


def _camera_table(cameras: list[CameraDescription]) -> Table:
    table = Table(title="Cameras", title_justify="left")
    for heading in ("--input", "name", "path, bus", "modes"):
        table.add_column(heading, overflow="fold")
    for camera in cameras:
        name = f"{escape(camera.name)}{' [dim](virtual: never chosen by auto)[/]' if camera.virtual else ''}"
        place = "\n".join(word for word in (camera.path, camera.bus) if word)
        table.add_row(str(camera.index), name, escape(place), _modes_text(camera_modes(camera)))
    return table


def _modes_text(modes: list[Mode]) -> str:
    """One line for each format that is understood here: its sizes with their highest rates, the largest first."""
    lines: dict[str, list[str]] = {}
    for mode in sorted(understood(modes), key=lambda mode: -mode.width * mode.height):
        size = f"{mode.width}x{mode.height}" + (f" {mode.fps:.3g} fps" if mode.fps else "")
        sizes = lines.setdefault(mode.pixel_format, [])
        if size not in sizes:
            sizes.append(size)
    return "\n".join(f"{pixel_format} {', '.join(sizes)}" for pixel_format, sizes in lines.items())


def _screen_table(screens: list[ScreenDescription]) -> Table:
    table = Table(title="Screens", title_justify="left")
    for heading in ("--input", "size", "place on the desktop"):
        table.add_column(heading)
    for screen in screens:
        table.add_row(f"screen:{screen.number}", f"{screen.width}x{screen.height}", f"{screen.left},{screen.top}")
    return table
