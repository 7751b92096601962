"""The photo page's routes: photos and short clips in, styled ones out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import Future
from importlib.resources import files
from typing import Any, TypeVar

from aiohttp import web

from livefilter.control.parts import PERSONS, STYLED, check_room
from livefilter.control.settings import STRONGEST
from livefilter.errors import InvalidInput, LivefilterError
from livefilter.styles.network import SIZES
from livefilter.web.answers import Refused, json_answer, refusal
from livefilter.web.clip_studio import MAX_BYTES as MAX_CLIP_BYTES
from livefilter.web.clip_studio import Clip, ClipStudio, create_private
from livefilter.web.guard import from_elsewhere
from livefilter.web.photo_studio import Photo, PhotoStudio, Wish, encoded
from livefilter.web.photo_styling import FACES, fitted
from livefilter.web.site import Site

MAX_BYTES = 60 * 2**20
UPLOAD_S = 120.0
T = TypeVar("T")


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/api/photos and /api/clips; see docs/api.md."""
    page = _PhotoPage(site)
    return [
        web.post("/api/photos", page.add),
        web.post("/api/photos/sample", page.sample),
        web.post("/api/photos/camera", page.camera),
        web.delete("/api/photos/{id}", page.remove),
        web.get("/api/photos/{id}/original.jpg", page.original),
        web.get("/api/photos/{id}/{style}.jpg", page.preview),
        web.get("/api/photos/{id}/{style}/full.{kind:jpg|png}", page.full),
        web.post("/api/clips", page.add_clip),
        web.get("/api/clips/{id}", page.clip),
        web.delete("/api/clips/{id}", page.remove_clip),
        web.get("/api/clips/{id}/styled.mp4", page.clip_result),
    ]


class _PhotoPage:
    """Answers for the photos and clips of `site.features`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._styles = {style.name: style for style in site.styles}
        self._uploading = asyncio.Semaphore(2)

    async def add(self, request: web.Request) -> web.Response:
        """A photo as the body, its name in ?name=."""
        studio, name = self._photos(), _name(request)
        async with self._uploading:
            content = await _within(_read(request, MAX_BYTES, "The photo"))
            photo = await _aside(studio.add_file, content, name)
        return _told(photo)

    async def sample(self, request: web.Request) -> web.Response:
        """The photo that comes with livefilter."""
        demo = (files("livefilter.capture") / "assets" / "demo.jpg").read_bytes()
        return _told(await _aside(self._photos().add_file, demo, "sample.jpg"))

    async def camera(self, request: web.Request) -> web.Response:
        """The newest frame of the camera, before any style."""
        original = self._site.features.get("original")
        image = original() if original is not None else None
        if image is None:
            why, fix = "No camera is running.", "Start livefilter run, or choose a photo."
            raise Refused(503, "There is no picture of the camera.", why, fix)
        return _told(self._photos().add(image.copy(), "camera.jpg"))

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a photo."""
        self._photos().remove(self._photo(request).key)
        return json_answer({"done": True})

    async def original(self, request: web.Request) -> web.Response:
        """The photo as it came, at a size for the screen."""
        photo = self._photo(request)
        body = await _aside(lambda: encoded(fitted(photo.image, 1400, 1400), "jpg", "preview"))
        return web.Response(body=body, content_type="image/jpeg")

    async def preview(self, request: web.Request) -> web.Response:
        """A photo in a style, at a size for the screen."""
        photo, wish = self._photo(request), self._wish(request)
        body = await _drawn(self._photos().preview(photo, wish))
        return web.Response(body=body, content_type="image/jpeg")

    async def full(self, request: web.Request) -> web.Response:
        """A photo in a style, at its own resolution."""
        photo, wish, kind = self._photo(request), self._wish(request), request.match_info["kind"]
        body = await _drawn(self._photos().full(photo, wish, kind))
        return web.Response(body=body, content_type="image/jpeg" if kind == "jpg" else "image/png")

    async def add_clip(self, request: web.Request) -> web.Response:
        """A clip as the body, with ?name=, ?style=, ?network= and ?strength=."""
        clips, (style, network), strength = self._clips(), self._style(request), _strength(request)
        clip = _or_refused(lambda: clips.new(_name(request)))
        try:
            await _within(_store(request, clip))
        except BaseException:
            clip.cancelled = True
            await _aside(clips.cancel, clip)
            raise
        clips.start(clip, style, network, strength)
        return json_answer(clip.state())

    async def clip(self, request: web.Request) -> web.Response:
        """How far a clip is."""
        state = self._clip(request).state()
        return json_answer(self._site.told(state, elsewhere=from_elsewhere(request)))

    async def remove_clip(self, request: web.Request) -> web.Response:
        """Cancel and forget a clip."""
        await _aside(self._clips().cancel, self._clip(request))
        return json_answer({"done": True})

    async def clip_result(self, request: web.Request) -> web.StreamResponse:
        """The styled clip."""
        clip = self._clip(request)
        if not clip.finished:
            raise Refused(409, "The clip is not there.", clip.error or "It is not done yet.", "Ask for its state.")
        return web.FileResponse(clip.result, headers={"Content-Type": "video/mp4"})

    def _photos(self) -> PhotoStudio:
        studio = self._site.features.get("photos")
        if not isinstance(studio, PhotoStudio):
            raise Refused(503, "No photo was taken in.", "livefilter is still starting.", "Try again.", retry_s=2)
        return studio

    def _clips(self) -> ClipStudio:
        studio = self._site.features.get("clips")
        if not isinstance(studio, ClipStudio):
            raise Refused(503, "No clip was taken in.", "livefilter is still starting.", "Try again.", retry_s=2)
        return studio

    def _photo(self, request: web.Request) -> Photo:
        photo = self._photos().get(request.match_info["id"])
        if photo is None:
            why = "It is not kept any more: only the newest ones are."
            raise Refused(404, "There is no such photo.", why, "Choose it again.")
        return photo

    def _clip(self, request: web.Request) -> Clip:
        clip = self._clips().get(request.match_info["id"])
        if clip is None:
            raise Refused(404, "There is no such clip.", "Only the newest one is kept.", "Choose it again.")
        return clip

    def _wish(self, request: web.Request) -> Wish:
        """How the photo is to look."""
        person, room = (request.query.get(part, STYLED) for part in ("person", "room"))
        try:
            if person not in PERSONS:
                raise InvalidInput(f"There is no person {person[:60]!r}. It can be {', '.join(PERSONS)}.")
            check_room(room, list(self._styles), picture=False)
        except InvalidInput as error:
            raise Refused(400, "The picture was not drawn.", str(error), "Leave it out for style.") from error
        return Wish(*self._style(request), _side(request), _strength(request), person, room)

    def _style(self, request: web.Request) -> tuple[str, str]:
        """The style and network that are asked for, which exist."""
        name = request.match_info.get("style") or request.query.get("style", "")
        if name not in self._styles:
            why = f"There is no style {name[:60]!r}."
            raise Refused(404, "The picture was not drawn.", why, f"Known: {', '.join(self._styles)}.")
        network = request.query.get("network", "lite")
        if network not in ("auto", *SIZES):
            why = "network must be auto, lite or full."
            raise Refused(400, "The picture was not drawn.", why, "Leave it out for lite.")
        # A photo has time for the finer one, where the style's card does not name a better one.
        return name, self._styles[name].network(network, gpu=True).size


def _told(photo: Photo) -> web.Response:
    height, width = photo.image.shape[:2]
    return json_answer({"id": photo.key, "name": photo.name, "width": width, "height": height})


def _name(request: web.Request) -> str:
    """What the file is called, for messages and downloads; never a path of ours."""
    name = request.query.get("name", "").replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[:120] or "photo"


def _side(request: web.Request) -> int:
    """The shorter side at which a photo is drawn, so that its faces are of a size that the networks know."""
    faces = request.query.get("faces", "usual")
    if faces not in FACES:
        why = f"faces must be {' or '.join(FACES)}."
        raise Refused(400, "The picture was not drawn.", why, "Leave it out for usual.")
    return FACES[faces]


def _strength(request: web.Request) -> float:
    try:
        value = float(request.query.get("strength", "1"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= STRONGEST:
        why = f"strength must be a number from 0 to {STRONGEST}."
        raise Refused(400, "The picture was not drawn.", why, "Leave it out for 1.")
    return value


async def _chunks(request: web.Request, most: int, what: str) -> Any:
    """The body in pieces; ends with a refusal when it is larger than allowed."""
    too_large = Refused(413, f"{what} was not taken in.", f"It is larger than {most >> 20} MB.", "Make it smaller.")
    if (request.content_length or 0) > most:
        raise too_large
    got = 0
    async for chunk in request.content.iter_chunked(256 * 1024):
        got += len(chunk)
        if got > most:
            raise too_large
        yield chunk


async def _read(request: web.Request, most: int, what: str) -> bytes:
    content = bytearray()
    async for chunk in _chunks(request, most, what):
        content += chunk
    return bytes(content)


async def _store(request: web.Request, clip: Clip) -> None:
    loop = asyncio.get_running_loop()
    with os.fdopen(create_private(clip.source), "wb") as file:
        async for chunk in _chunks(request, MAX_CLIP_BYTES, "The clip"):
            await loop.run_in_executor(None, file.write, chunk)


async def _within(work: Any) -> Any:
    try:
        return await asyncio.wait_for(work, UPLOAD_S)
    except asyncio.TimeoutError:
        why = f"It took longer than {UPLOAD_S:.0f} seconds to come."
        raise Refused(408, "It was not taken in.", why, "Try again, or make it smaller.") from None


async def _aside(work: Any, *given: Any) -> Any:
    """Do work that may take a moment, off the server's thread."""
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work, *given)
    except LivefilterError as error:
        fix = "Send a picture: JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP."
        raise refusal(error, "It was not taken in.", fix) from error


async def _drawn(future: Future[bytes]) -> bytes:
    try:
        body = await asyncio.wrap_future(future)
    except LivefilterError as error:
        raise refusal(error, "The picture was not drawn.") from error
    if not body:
        raise Refused(404, "The picture was not drawn.", "The photo is not kept any more.", "Choose it again.")
    return body


def _or_refused(work: Any) -> Any:
    try:
        return work()
    except LivefilterError as error:
        raise refusal(error, "The clip was not taken in.") from error
