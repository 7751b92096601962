"""The `livefilter` program: finds the command, and turns errors into one line and an exit code."""

from __future__ import annotations

import atexit
import errno
import importlib
import io
import logging
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click
from rich.logging import RichHandler
from rich.markup import escape

from livefilter import __version__
from livefilter.cli.console import open_console
from livefilter.errors import LivefilterError, UnknownName
from livefilter.masking import mask_text
from livefilter.text import printable

# Name -> where it lives and what it does; the text stands here so that `livefilter --help` imports no command.
COMMANDS = {
    "run": ("livefilter.cli.run:run", "Style a camera live: as a camera, page, window, file or stream."),
    "studio": ("livefilter.cli.studio:studio", "Style photos and short clips on a page, without a camera."),
    "render": ("livefilter.cli.render:render", "Style a video, a picture or a folder of both."),
    "wall": ("livefilter.cli.wall:wall", "Run many live streams at once, each in a process of its own."),
    "bench": ("livefilter.cli.bench:bench", "Measure FPS and latency, per stage and end to end."),
    "styles": ("livefilter.cli.styles:styles", "List the styles, and remove imported ones."),
    "import": ("livefilter.cli.import_style:import_style", "Make a style of a trained generator."),
    "devices": ("livefilter.cli.devices:devices", "List cameras and screens."),
    "hotkeys": ("livefilter.cli.hotkeys:hotkeys", "Show keys, global hotkeys and MIDI pads."),
    "obs": ("livefilter.cli.obs:obs", "Measure what the way into OBS adds to the delay."),
    "doctor": ("livefilter.cli.doctor:doctor", "Say what works on this machine, what is missing, how to get it."),
    "build": ("livefilter.cli.build:build", "Build TensorRT engines for an NVIDIA GPU."),
    "token": ("livefilter.cli.token:token", "Print the token for phones and tools on the network."),
    "engines": ("livefilter.cli.engines:engines", "List, inspect and prune built engines."),
    "train": ("livefilter.cli.train:train", "Train a generator."),
}


class _LazyGroup(click.Group):
    """Imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownName("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)


class _HarmlessFormatter(logging.Formatter):
    """Keeps secrets and escape sequences out of the log, whatever a library puts into it."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_text(printable(super().format(record)))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="livefilter")
@click.option("-v", "--verbose", count=True, help="Log more; twice for everything.")
def cli(verbose: int) -> None:
    """Anime style for your webcam, live: camera in, styled camera out.

    Start with `livefilter run`, then open the address it prints or pick the "livefilter" camera in OBS, Zoom or a
    browser. `livefilter doctor` says what works on this machine.
    """
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    console = open_console(stderr=True)
    if console.is_terminal:
        handler: logging.Handler = RichHandler(console=console, show_path=False)
        handler.setFormatter(_HarmlessFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(_HarmlessFormatter("[%(asctime)s] %(levelname)-8s %(message)s", "%X"))
    logging.basicConfig(level=level, handlers=[handler])
    if verbose < 3:
        for noisy in ("aiohttp.access", "libav", "matplotlib", "PIL"):
            logging.getLogger(noisy).setLevel(logging.ERROR)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a clear error, 2 wrong usage, 130 interrupted."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # read when OpenCV is imported; our own errors say more
    console = open_console(stderr=True)
    try:
        code = cli.main(args=arguments, standalone_mode=False)
    except LivefilterError as error:
        console.print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
        code = 1
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(mask_text(printable(said.getvalue())), err=True, nl=False)  # it quotes what was typed
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.print("Stopped.")
        code = 130
    except BrokenPipeError:
        # The reader of our output went away (`livefilter styles | head`); nothing more can be said to it.
        _forget_output()
        code = 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        console.print(f"[bold red]Error:[/] Cannot write the output: {escape(str(error.strerror))}.", soft_wrap=True)
        _forget_output()
        code = 1
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        console.print(
            "[bold red]Error:[/] No more threads can be started here. Close other programs, or raise the limit."
        )
        code = 1
    except ImportError as error:
        missing = _missing_library(error)
        if missing is None:
            raise
        console.print(f"[bold red]Error:[/] {escape(missing)}", soft_wrap=True)
        code = 1
    _leave(code if isinstance(code, int) else 0, at_once=arguments is None)


def _leave(code: int, at_once: bool) -> NoReturn:
    """Exit; `at_once`, without taking the interpreter down, where a thread is still inside a driver or a library.

    Such a thread, as one that opens a camera, cannot be ended, and Python aborts when it comes back to an interpreter
    that is gone.
    """
    left = [thread for thread in threading.enumerate() if thread.daemon]
    if at_once and left:
        logging.getLogger(__name__).debug("Left behind: %s", ", ".join(thread.name for thread in left))
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _forget_output() -> None:
    """Send what is still buffered for stdout nowhere, or Python complains when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _missing_library(error: ImportError) -> str | None:
    """The fix for OpenCV's classic on slim Linux systems, or None for any other import error."""
    text = str(error)
    if ".so" not in text or "cannot open shared object" not in text:
        return None
    return f"OpenCV cannot be loaded: {text}. On Debian and Ubuntu: sudo apt install libgl1 libglib2.0-0 libxcb1"
