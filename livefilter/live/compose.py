"""The one place where sources, styles, engines and sinks are put together."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from livefilter.capture import find_input, open_source
from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.paced import PacedSource
from livefilter.config import Config
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.inference.base import EngineInfo
from livefilter.inference.selection import choose_backend
from livefilter.live.control_room import RunFacts, steer_pages
from livefilter.live.governor.governor import Governor
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.governor.wire import open_governor
from livefilter.live.nv12_check import require_nv12
from livefilter.live.open_outputs import add_outputs, expand_outputs, open_threaded
from livefilter.live.outputs import Outputs
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.session import Keys, LiveSession
from livefilter.live.style_loader import StyleLoader
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from livefilter.output import check_output, open_sink, resolve_output
from livefilter.output.base import Sink, SinkOptions
from livefilter.styles.catalogue import Catalogue

_log = logging.getLogger(__name__)
DEFAULT_FPS = 30.0
# A file is not lost when its next picture is seconds away, as in a recorded slide show.
_HOLD_FILE_S = 30.0
# Long enough for a program that looks at the camera, closes it and opens it again.
_IDLE_AFTER_S = 5.0


@dataclass
class Running:
    """What draws now; its size may change at any frame."""

    stylist: LiveStylist

    @property
    def styler(self) -> LadderStyler:
        return cast(LadderStyler, self.stylist.styler)

    @property
    def info(self) -> EngineInfo:
        return self.styler.engine_info

    @property
    def network(self) -> str:
        return self.styler.network_size


@dataclass
class Live:
    """A composed live run, not yet started, and what to tell the user about it."""

    pipeline: Pipeline
    session: LiveSession
    settings: SharedSettings
    stylist: LiveStylist
    source_name: str
    sink_names: list[str]
    running: Running
    controller: Controller
    governor: Governor
    page_url: str | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def backend(self) -> str:
        """The registry name of what runs now."""
        return self.running.info.backend

    @property
    def network(self) -> str:
        """The size of the network that runs now, "lite" or "full"."""
        return self.running.network

    @property
    def device(self) -> str:
        """Where, in which precision and at which size."""
        engine = self.running.info
        return f"{engine.device}, {engine.precision}, {engine.width}x{engine.height}"


def compose_live(config: Config, keys: Keys) -> Live:
    """Open everything that a live run needs; when one part cannot be opened the others are closed again.

    Raises: LivefilterError: the first thing that cannot be opened.
    """
    with ExitStack() as opened:
        specs, missing = expand_outputs(config.output)
        for spec in specs:
            check_output(spec)
        source, notices = _open_input(config)
        opened.enter_context(source)
        info = source.info
        fps = config.fps or min(info.fps or DEFAULT_FPS, 60.0)
        metrics = Metrics()
        settings = SharedSettings(
            LiveSettings(
                style=config.style,
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
        )

        governor = open_governor(config, settings, metrics, fps, choose_backend(config.backend)[0])
        opened.callback(governor.close)
        loader = StyleLoader(config, settings, governor, (info.width, info.height), fps)
        opened.callback(loader.close)
        if config.nv12:
            require_nv12(config, loader.backend, info.width, info.height)
        first = loader.load(config.style)

        def close_engines() -> None:
            governor.close()
            loader.close()

        stylist = LiveStylist(
            lambda style: loader.load_after(running.styler, style),
            first,
            settings,
            metrics,
            fade_s=config.fade_ms / 1000,
            on_close=close_engines,
        )
        opened.callback(stylist.close)
        running = Running(stylist)
        loader.start(stylist)
        said = [f"Backend {loader.backend}, {loader.reason}", settings.current.notice, first.size_reason]
        notices.extend(text for text in said if text)

        sink_options = SinkOptions(
            info.width, info.height, fps, info.media, config.loop, nv12=config.nv12, lan=config.lan
        )
        notices.extend(missing)
        sinks: list[Sink] = []
        for spec in specs:
            sinks.append(opened.enter_context(open_sink(spec, sink_options)))
            if sinks[-1].notice:
                notices.append(sinks[-1].notice)
        preview = next((sink for sink in sinks if sink.main_thread), None)

        def open_recording(path: Path) -> Sink:
            return open_threaded(f"record:{path}", sink_options)

        outputs = Outputs(strict=config.strict_outputs, notify=lambda notice: settings.change(notice=notice))
        add_outputs(outputs, specs, sinks, sink_options, lambda sink: steer(sink))
        pipeline = Pipeline(
            source,
            stylist,
            outputs,
            PipelineOptions(
                info.width,
                info.height,
                fps,
                config.hold_s if info.live else _HOLD_FILE_S,
                _IDLE_AFTER_S if config.idle and _may_rest(info, specs) else None,
                governor.pace,
                governor.may_reserve,
            ),
            metrics,
            _reopener(source, config) if info.live else None,
        )
        controller = Controller(settings, [style.name for style in Catalogue().styles])
        session = LiveSession(
            pipeline,
            settings,
            controller,
            open_recording,
            config.recordings,
            keys,
            preview,  # type: ignore[arg-type]  # a main-thread sink is a preview
        )
        facts = RunFacts(pipeline, stylist, running, governor)
        steer = steer_pages(config, facts, settings, controller, stylist, sinks, notices)
        governor.start()
        opened.pop_all()  # the pipeline owns and closes them from here on
    return Live(
        pipeline=pipeline,
        session=session,
        settings=settings,
        stylist=stylist,
        source_name=info.name,
        sink_names=[sink.name for sink in sinks],
        running=running,
        controller=controller,
        governor=governor,
        page_url=next((url for sink in sinks if (url := getattr(sink, "url", None))), None),
        notices=notices,
    )


def _open_input(config: Config) -> tuple[Source, list[str]]:
    source, notice = find_input(config.input, _source_options(config))
    notices = [notice] if notice else []
    return (source if source.info.live else PacedSource(source)), notices


def _source_options(config: Config) -> SourceOptions:
    return SourceOptions(config.width, config.height, config.fps, config.loop, open_timeout_s=config.open_timeout)


def _reopener(source: Source, config: Config) -> Callable[[], Source]:
    target = source.info.reopen_target or config.input
    options = dataclasses.replace(_source_options(config), mode=source.info.mode)
    return functools.partial(open_source, target, options)


def _may_rest(info: SourceInfo, specs: list[str]) -> bool:
    """Whether a run is from a camera, which opens in a moment, to a virtual one, which may go unwatched for hours."""
    return info.reopen_target is not None and any(resolve_output(spec)[0] == "camera" for spec in specs)
