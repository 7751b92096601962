"""The whole error tree.

LivefilterError
├── InvalidInput              something the user named cannot be used
│   ├── ConfigError           a setting has a wrong name or value
│   └── UnknownName           no style, backend, input or output has that name
├── SourceError
│   ├── SourceUnavailable     an input cannot be opened
│   ├── SourceLost            an input stopped delivering; reopening it may help
│   └── EndOfStream           a finite input has no more frames
├── EngineError
│   ├── BackendUnavailable    a runtime or device is not usable on this machine
│   ├── StyleCorrupt          a network file is missing, damaged or not the one its card names
│   ├── BuildFailed           an engine cannot be built or stored
│   ├── BuildCancelled        a build was stopped on request; nothing of it is left
│   ├── EngineMismatch        a built engine is missing, damaged or not for this machine
│   └── EngineFailed          a loaded engine failed on a frame
│       └── GpuFault          a CUDA call failed; says whether the context is lost
├── SinkError
│   ├── SinkUnavailable       an output cannot be opened
│   │   └── NameTaken         the file that it is to make is there already
│   └── SinkLost              an open output failed
├── ClusterError              machines that work together do not
│   ├── ClusterUnavailable    Ray is missing, does not start, or cannot or may not be joined
│   └── ManifestUnusable      what an unfinished render left cannot be continued
├── Busy                      too much of one thing was asked for at once
├── TriggerUnavailable        hotkeys or a MIDI device cannot be listened to
├── ObsError                  OBS Studio does not do what it is asked for
│   ├── ObsUnavailable        nobody answers at its address, or no OBS 28 or later does, or it went away
│   ├── ObsPassword           it wants a password, or another one
│   └── ObsRefused            it answered one request with an error
└── StageStuck                a pipeline stage did not end in time

Every message is one line that says what failed, on which thing, why, and how to fix it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

from livefilter.masking import mask_address, mask_text
from livefilter.text import printable


class LivefilterError(Exception):
    """Base of every error that livefilter raises on purpose.

    problem: what failed and why. fix: what to do about it; "" where there is nothing to do. Where no fix is named, it
    is what follows the first sentence of the message. What they quote of others (a file's texts, a library's words, an
    address) can neither steer a terminal nor tell a secret.
    """

    def __init__(self, message: str = "", *, fix: str = "") -> None:
        message, fix = mask_text(printable(message)), mask_text(printable(fix))
        super().__init__(f"{message} {fix}" if fix else message)
        self.problem, _, rest = (message, "", "") if fix else message.partition(". ")
        self.fix = fix or rest


class InvalidInput(LivefilterError):
    """Something the user named (a file, a size, a value) cannot be used."""


class ConfigError(InvalidInput):
    """A setting has a wrong name or value."""


class UnknownName(InvalidInput):
    """No style, backend, input or output has that name.

    kind: what of these was named. meant: the one that was probably meant, where that is not the one most alike.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], meant: str | None = None) -> None:
        self.kind = kind
        choices = sorted(known)
        near = meant or nearest(name, choices)
        meant = f" Did you mean {near!r}?" if near else ""
        super().__init__(f"Unknown {kind} {mask_address(name)!r}.{meant} Known: {', '.join(choices) or 'none'}.")


class SourceError(LivefilterError):
    """An input failed."""


class SourceUnavailable(SourceError):
    """An input cannot be opened."""


class SourceLost(SourceError):
    """An input stopped delivering frames; reopening it may help."""


class EndOfStream(SourceError):
    """A finite input has no more frames."""


class EngineError(LivefilterError):
    """Inference failed."""


class BackendUnavailable(EngineError):
    """A runtime or device is not usable on this machine."""


class StyleCorrupt(EngineError):
    """A network file is missing, damaged or not the one its card names."""


class BuildFailed(EngineError):
    """An engine cannot be built or stored."""


class BuildCancelled(EngineError):
    """A build was stopped on request; nothing of it is left."""


class EngineMismatch(EngineError):
    """A built engine is missing, damaged or not for this machine."""


class EngineFailed(EngineError):
    """A loaded engine failed on a frame."""


class GpuFault(EngineFailed):
    """A CUDA call failed.

    lost: the context and all that was allocated in it cannot be used any more.
    """

    def __init__(self, message: str, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class SinkError(LivefilterError):
    """An output failed."""


class SinkUnavailable(SinkError):
    """An output cannot be opened."""


class NameTaken(SinkUnavailable):
    """The file that an output is to make is there already; under another name it may work."""


class SinkLost(SinkError):
    """An open output failed."""


class ClusterError(LivefilterError):
    """Machines that are to work together do not."""


class ClusterUnavailable(ClusterError):
    """Ray is missing, does not start, or cannot or may not be joined."""


class ManifestUnusable(ClusterError):
    """What an unfinished render left cannot be continued."""


class Busy(LivefilterError):
    """Too much of one thing was asked for at once; later it may work."""


class TriggerUnavailable(LivefilterError):
    """Hotkeys or a MIDI device cannot be listened to."""


class ObsError(LivefilterError):
    """OBS Studio does not do what it is asked for."""


class ObsUnavailable(ObsError):
    """Nobody answers at OBS's address, or no OBS 28 or later does, or it went away."""


class ObsPassword(ObsError):
    """OBS wants a password, or another one."""


class ObsRefused(ObsError):
    """OBS answered one request with an error.

    code: as obs-websocket numbers it, such as 600 for what does not exist.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class StageStuck(LivefilterError):
    """A pipeline stage did not end in time."""


def install_extra(extra: str) -> str:
    """The command that adds an extra to this very environment, whatever `pip` means in the user's terminal."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f'{python} -m pip install "livefilter[{extra}]"'


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when nothing is close."""
    found = difflib.get_close_matches(name.lower(), list(known), n=1)
    return found[0] if found else None
