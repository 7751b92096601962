"""The one place where sources, styles, engines and sinks are put together."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from livefilter.capture.base import SourceInfo, SourceOptions
from livefilter.config import Config
from livefilter.control.controller import Controller
from livefilter.control.parts import TRANSPARENT
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.inference.base import Sharing
from livefilter.inference.selection import choose_backend
from livefilter.live.control_room import steer_pages
from livefilter.live.first_parts import FirstParts, first_parts
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.wire import open_governor
from livefilter.live.open_input import open_input
from livefilter.live.open_outputs import expand_outputs, open_outputs, threaded
from livefilter.live.open_stylist import open_stylist
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.run_facts import RunFacts
from livefilter.live.session import Keys, LiveSession
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.output import check_output, open_sink, resolve_output
from livefilter.output.base import SinkOptions
from livefilter.styles.catalogue import Catalogue

DEFAULT_FPS = 30.0
# A file is not lost when its next picture is seconds away, as in a recorded slide show.
_HOLD_FILE_S = 30.0
# Long enough for a program that looks at the camera, closes it and opens it again.
_IDLE_AFTER_S = 5.0


@dataclass
class Live:
    """A composed live run, not yet started, and what to tell the user about it; `pipeline` owns what is open.

    size: width and height of what is sent, in pixels.
    """

    pipeline: Pipeline
    stylist: LiveStylist
    session: LiveSession
    settings: SharedSettings
    controller: Controller
    governor: Governor
    facts: RunFacts
    source_name: str
    sink_names: list[str]
    size: tuple[int, int]
    page_url: str | None = None
    notices: list[str] = field(default_factory=list)


def compose_live(config: Config, keys: Keys, *, shared: bool | Sharing = False) -> Live:
    """Open everything that a live run needs; when one part cannot be opened the others are closed again.

    shared: as of EngineOptions; other engines work on this machine at the same time on a wall.
    Raises: LivefilterError: the first thing that cannot be opened.
    """
    with ExitStack() as opened:
        specs, missing = expand_outputs(config.output)
        for spec in specs:
            check_output(spec)
        found = open_input(config.input, _source_options(config))
        opened.enter_context(found.source)
        info = found.source.info
        fps = config.fps or min(info.fps or DEFAULT_FPS, 60.0)
        catalogue, metrics = Catalogue(), Metrics()
        parts = first_parts(config, [style.name for style in catalogue.styles])
        if parts.picture is not None:
            opened.enter_context(parts.picture)
        settings = SharedSettings(_first_settings(config, parts))
        governor = open_governor(config, settings, metrics, fps, choose_backend(config.backend)[0])
        opened.callback(governor.close)
        size = (info.width, info.height)
        stylist, said = open_stylist(
            config, catalogue, settings, metrics, governor, size, fps, parts.picture, shared=shared
        )
        opened.callback(stylist.close)
        options = SinkOptions(
            *size, fps, info.media, config.loop, nv12=config.nv12, lan=config.lan, alpha=parts.room == TRANSPARENT
        )
        outputs, sinks = open_outputs(
            specs,
            options,
            strict=config.strict_outputs,
            notify=lambda notice: settings.change(notice=notice),
            reopened=lambda sink: steer(sink),
        )
        opened.callback(outputs.close)
        rests = config.idle and _may_rest(info, specs)
        pipeline = Pipeline(
            found.source,
            stylist,
            outputs,
            PipelineOptions(
                *size,
                fps,
                config.hold_s if info.live else _HOLD_FILE_S,
                _IDLE_AFTER_S if rests else None,
                governor.pace,
                governor.may_reserve,
            ),
            metrics,
            found.reopen,
        )
        controller = Controller(settings, [style.name for style in catalogue.styles])
        controller.room_picture = parts.picture is not None
        preview = next((sink for sink in sinks if sink.main_thread), None)
        session = LiveSession(
            pipeline,
            settings,
            controller,
            lambda path: threaded(open_sink(f"record:{path}", replace(options, alpha=True)), options),
            config.recordings,
            keys,
            preview,  # type: ignore[arg-type]  # a main-thread sink is a preview
        )
        facts = RunFacts(pipeline, stylist, governor)
        notices = [*([found.notice] if found.notice else []), *said, *missing]
        notices += [sink.notice for sink in sinks if sink.notice]
        steer = steer_pages(config, catalogue, pipeline, stylist, facts, settings, controller, sinks, notices)
        governor.start()
        opened.pop_all()  # the pipeline owns and closes them from here on
    return Live(
        pipeline,
        stylist,
        session,
        settings,
        controller,
        governor,
        facts,
        info.name,
        [sink.name for sink in sinks],
        size,
        next((url for sink in sinks if (url := getattr(sink, "url", None))), None),
        notices,
    )


def _first_settings(config: Config, parts: FirstParts) -> LiveSettings:
    return LiveSettings(
        style=parts.style,
        person=parts.person,
        room=parts.room,
        strength=config.strength,
        compare=config.compare,
        mirror=config.mirror,
        mirror_output=config.mirror_output,
        network=config.network,
        process_size=0 if config.process_size == "auto" else config.process_size,
        hold=config.hold,
        prefer=config.prefer,
        gaming=config.gaming,
    )


def _source_options(config: Config) -> SourceOptions:
    return SourceOptions(config.width, config.height, config.fps, config.loop, open_timeout_s=config.open_timeout)


def _may_rest(info: SourceInfo, specs: list[str]) -> bool:
    """Whether a run is from a camera, which opens in a moment, to a virtual one, which may go unwatched for hours."""
    return info.reopen_target is not None and any(resolve_output(spec)[0] == "camera" for spec in specs)
