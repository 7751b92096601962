"""The connection of a live run to OBS: on a thread of its own, again after every loss, never waited for."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from livefilter.closeable import Closeable
from livefilter.control.settings import SharedSettings
from livefilter.errors import LivefilterError, ObsError, ObsPassword, ObsUnavailable
from livefilter.metrics import Metrics
from livefilter.obs.memory import Memory
from livefilter.obs.on_air import OnAir
from livefilter.obs.scenes import SceneRules, Step
from livefilter.obs.session import ObsSession
from livefilter.obs.settings import ObsSettings
from livefilter.obs.sources import Offer
from livefilter.obs.status import ObsStatus

_log = logging.getLogger(__name__)
# Seconds before each attempt to connect again; the last one is repeated. A wrong password is not tried often.
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)
_PASSWORD_PAUSE_S = 30.0
_CLOSE_TIMEOUT_S = 5.0
_ADD_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class ObsRun:
    """What the connection needs of a run.

    perform: carries out an action. offer: what we send, asked for at each connection. rules: of the scenes.
    notify: tells the person in control.
    """

    metrics: Metrics
    settings: SharedSettings
    perform: Callable[..., None]
    notify: Callable[[str], object]
    offer: Callable[[], Offer]
    rules: Mapping[str, Sequence[Step]] = field(default_factory=dict)


class ObsLink(Closeable):
    """Keeps a session with OBS from construction to `close`; whatever fails there, the run goes on.

    status: of this moment.
    """

    def __init__(
        self,
        settings: ObsSettings,
        run: ObsRun,
        memory: Memory | None = None,
        back_off_s: Sequence[float] = BACK_OFF_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.status = ObsStatus()
        self._settings, self._run, self._memory = settings, run, memory or Memory()
        self._back_off_s, self._clock = tuple(back_off_s), clock
        self._scenes = SceneRules(run.rules, run.settings, run.perform, run.notify)
        self._on_air = OnAir(run.settings, never_raw=settings.never_raw)
        self._session: ObsSession | None = None
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._work, name="obs", daemon=True)
        self._thread.start()

    def add_source(self) -> None:
        """Put our picture into OBS's current scene, or find it there; the notice says which. Never waits.

        Raises: ObsUnavailable: there is no session now.
        """
        if self._session is None or not self.status.connected:
            raise ObsUnavailable(self.status.trouble or "OBS is not connected yet. Try again in a moment.")
        done: Future[str] = asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(self._session.add_source(), _ADD_TIMEOUT_S), self._loop
        )
        done.add_done_callback(self._tell_added)

    def close(self) -> None:
        """Put back what was changed in OBS, and end. Can be called twice."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop may end by itself in this moment
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_CLOSE_TIMEOUT_S)

    def change_status(self, **changes: Any) -> None:
        """Note what is new; called on the connection's own thread."""
        self.status = replace(self.status, **changes)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep())
        except Exception as error:  # whatever it is, the live run must outlive it
            _log.error("The connection to OBS has failed (%s); the run goes on. Start livefilter again for OBS.", error)
            _log.debug("What failed in the connection to OBS:", exc_info=True)
            self.status = ObsStatus(trouble="The connection to OBS has failed; start livefilter again.")
        finally:
            self._loop.close()

    async def _keep(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            session = ObsSession(
                self._settings, self._run, self._memory, self._scenes, self._on_air, self.change_status, self._clock
            )
            self._session = session
            try:
                await session.run(self._stopping)
                return
            except ObsError as error:
                attempt = 0 if self.status.connected else attempt
                self._lost(error)
                pause_s = self._back_off_s[min(attempt, len(self._back_off_s) - 1)]
                if isinstance(error, ObsPassword):
                    pause_s = max(pause_s, _PASSWORD_PAUSE_S)
                attempt += 1
            await self._pause(pause_s)

    async def _pause(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _lost(self, error: ObsError) -> None:
        """Tell of a loss once, and of what keeps us from coming back once for each cause."""
        text = str(error)
        self.status = ObsStatus(trouble=text, on_air=self._on_air.now)
        if text != self._told:
            _log.warning("%s", text)
            self._run.notify(text)
        self._told = text

    def _tell_added(self, done: Future[str]) -> None:
        try:
            text = f"OBS: {done.result()}"
        except LivefilterError as error:
            text = str(error)
        except Exception as error:
            text = f"OBS did not take the source: {str(error) or type(error).__name__}. Try again."
        self._run.notify(text)
