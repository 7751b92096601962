"""`livefilter studio`: the photo page without a live run."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click
from rich.markup import escape

from livefilter.cli.console import open_console
from livefilter.live.control_room import doctor_rows
from livefilter.live.photos import photo_features
from livefilter.output.page import lan_notice
from livefilter.styles.catalogue import Catalogue
from livefilter.web.address import listen, parse_address, url_of
from livefilter.web.server import WebServer
from livefilter.web.studio_room import StudioRoom


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page instead of 8420 or the next free one.")
@click.option("--lan", is_flag=True, help="Let others on the local network open it, with the token that is printed.")
def studio(port: int | None, lan: bool) -> None:
    """Style photos and short clips on a page of this computer, without a camera.

    Nothing is stored and nothing is sent anywhere.
    """
    host, number = parse_address("" if port is None else str(port), lan=lan)
    listener = listen(host, number)
    number = int(listener.getsockname()[1])
    console = open_console()
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    server = WebServer(listener, 1280, 720, lan=lan)
    try:
        catalogue = Catalogue()
        server.steer(StudioRoom(catalogue.styles), doctor=doctor_rows, **photo_features(catalogue))
        console.print(f"Photos: {url_of(host, number)}photo", soft_wrap=True)
        if lan:
            console.print(escape(lan_notice(server, number)), soft_wrap=True)
        console.print("Ctrl-C ends it.")
        while not ended.wait(0.2) and not server.wait(0):
            pass
    finally:
        server.close()
        for each, handler in before.items():
            signal.signal(each, handler)
