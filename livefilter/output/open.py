"""From the words a user writes after --output to an open sink."""

from __future__ import annotations

import re
from pathlib import Path

from livefilter.errors import InvalidInput, UnknownName, nearest
from livefilter.masking import mask_address
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.video.addresses import SCHEMES, is_stream_url
from livefilter.registry import SINKS

# Kept here so that naming an output imports no encoder.
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm")

_PREFIX = re.compile(r"(camera|pipewire|window|page|record|stream|null)(?::(.*))?", re.DOTALL)
_WITHOUT_TARGET = ("window", "null")


def resolve_output(spec: str) -> tuple[str, str]:
    """What an output's words mean: the kind (a name in SINKS) and the target for it, "" for none; opens nothing.

    spec: camera, camera:/dev/video10, camera:OBS Virtual Camera; pipewire, pipewire:NAME; window; page, page:8090;
    null; a path that ends in .mp4, .mkv, .mov or .webm, or record:PATH; an rtmp, rtmps, srt or udp URL, or stream:URL.
    Raises: InvalidInput: it is none of these, names what is nearest; or the target does not fit the kind.
    """
    words = spec.strip()
    if is_stream_url(words):
        return "stream", words
    explicit = _PREFIX.fullmatch(words)
    if explicit:
        return explicit[1], _checked(explicit[1], explicit[2])
    if "://" in words:
        raise InvalidInput(
            f"Cannot send to {mask_address(words, sent_to=True)}: the address must start with {', '.join(SCHEMES)}."
        )
    if Path(words).suffix.lower() in VIDEO_SUFFIXES:
        return "record", words
    raise InvalidInput(_unknown(words))


def open_sink(spec: str, options: SinkOptions) -> Sink:
    """Open the output that `spec` names.

    Raises: InvalidInput, SinkUnavailable.
    """
    kind, target = resolve_output(spec)
    sink: Sink = SINKS.load(kind)(target, options)
    return sink


def check_output(spec: str) -> None:
    """Refuse an output that is none or that others use now; opens nothing for longer than a look.

    Raises: InvalidInput, SinkUnavailable.
    """
    kind, target = resolve_output(spec)
    SINKS.load(kind).check(target)


def auto_outputs() -> tuple[list[str], list[str]]:
    """What "auto" stands for here: output specs, and a line with the fix for each thing that is missing."""
    from livefilter.output.camera.virtual_camera import VirtualCameraSink

    missing = VirtualCameraSink.unavailable()
    if missing is None:
        return ["camera", "page"], []
    return ["page"], [missing]


def _checked(kind: str, target: str | None) -> str:
    if target is None:
        if kind in ("record", "stream"):
            example = "record:out.mp4" if kind == "record" else "stream:rtmp://host/app/key"
            raise InvalidInput(f"{kind!r} needs a target, such as {example}.")
        return ""
    if not target:
        raise InvalidInput(f"{kind}: names nothing: write the target after the colon, or leave the colon out.")
    if kind in _WITHOUT_TARGET:
        raise InvalidInput(f"Output {kind!r} takes no target, so not {target!r}: write just {kind}.")
    if kind == "stream" and not is_stream_url(target):
        raise InvalidInput(
            f"Cannot send to {mask_address(target, sent_to=True)}: the address must start with {', '.join(SCHEMES)}."
        )
    return target


def _unknown(words: str) -> str:
    suffix = Path(words).suffix.lower()
    if suffix and not words.startswith(tuple(SINKS)):
        near = nearest(suffix, VIDEO_SUFFIXES)
        meant = f" Did you mean {near}?" if near else ""
        return f"Cannot write {words!r}: videos end in {', '.join(VIDEO_SUFFIXES)}.{meant}"
    return (
        str(UnknownName("output", words.partition(":")[0], [*SINKS, "auto", *SCHEMES]))
        + " A path ending in .mp4 records."
    )
