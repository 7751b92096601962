"""Photos and short clips, as the page sends them."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from livefilter.cutout import CHROMA
from livefilter.frame import Image
from livefilter.live.photos import photo_features
from livefilter.output.page import PageSink
from livefilter.styles.catalogue import Catalogue
from livefilter.web import clip_studio, photo, photo_studio
from livefilter.web.photo_styling import enlarged, style_photo
from livefilter.web.studio_room import StudioRoom
from tests.conftest import make_video, picture
from tests.fakes import until
from tests.web.client import ask, call
from tests.web.conftest import OPTIONS


@pytest.fixture
def studio() -> Iterator[PageSink]:
    """The pages without a live run."""
    with PageSink("0", OPTIONS) as page:
        page.steer(StudioRoom([]), **photo_features(Catalogue()))
        yield page


def as_file(image: Image, kind: str = "PNG", **options: Any) -> bytes:
    """A BGR picture as a file."""
    file = io.BytesIO()
    Pillow.fromarray(image[:, :, ::-1]).save(file, kind, **options)
    return file.getvalue()


def decoded(content: bytes) -> Image:
    """The pixels of a file that came back."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def take(page: PageSink, content: bytes, name: str = "me.png") -> dict[str, Any]:
    """A photo that was taken in."""
    status, answer = call(page, f"/api/photos?name={name}", "POST", body=content)
    assert status == 200, answer
    assert isinstance(answer, dict)
    return answer


def test_a_photo_comes_back_in_each_style_and_at_its_own_size(studio: PageSink) -> None:
    """Styles differ from the photo and from each other; the download has every pixel; strength 0 is the photo."""
    image = np.asarray(cv2.resize(picture(64, 48), (1600, 1200)), np.uint8)
    told = take(studio, as_file(image))
    assert (told["name"], told["width"], told["height"]) == ("me.png", 1600, 1200)
    path = f"/api/photos/{told['id']}"
    looks = []
    for style in ("hayao", "shinkai"):
        status, headers, body = ask(studio, f"{path}/{style}.jpg")
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        looks.append(decoded(body))
        assert max(looks[-1].shape) == photo_studio.PREVIEW_SIDE
    assert np.abs(looks[0].astype(int) - looks[1]).mean() > 1
    full = decoded(ask(studio, f"{path}/hayao/full.png")[2])
    assert full.shape == image.shape
    assert np.abs(full.astype(int) - image).mean() > 1
    assert np.array_equal(decoded(ask(studio, f"{path}/hayao/full.png?strength=0")[2]), image)
    assert ask(studio, f"{path}/hayao/full.png?strength=1.5")[0] == 200
    assert decoded(ask(studio, f"{path}/original.jpg")[2]).shape[1] == photo_studio.PREVIEW_SIDE
    assert call(studio, path, "DELETE") == (200, {"done": True})
    assert ask(studio, f"{path}/hayao.jpg")[0] == 404


def test_a_milder_drawing_is_drawn_and_not_mixed(studio: PageSink) -> None:
    """Half of the photo over a drawing with larger eyes would have four eyes, in the preview and at full size."""
    image = np.asarray(cv2.resize(picture(64, 48), (320, 240)), np.uint8)
    told = take(studio, as_file(image))
    path = f"/api/photos/{told['id']}/hayao"
    for kind in (".jpg", "/full.png"):
        whole, half = (decoded(ask(studio, f"{path}{kind}?strength={value}")[2]).astype(int) for value in (1, 0.5))
        mixed = (image.astype(int) + whole) / 2
        assert np.abs(half - whole).mean() > 1
        assert np.abs(half - mixed).mean() > 1


def test_person_and_room_of_a_photo_look_otherwise(studio: PageSink) -> None:
    """The room cut away in a PNG and green in a JPEG, the person raw, the room raw; wrong words are told."""
    told = call(studio, "/api/photos/sample", "POST")[1]
    assert isinstance(told, dict)
    path, face, wall = f"/api/photos/{told['id']}/hayao", (120, 220), (40, 330)
    original = decoded((files("livefilter.capture") / "assets" / "demo.jpg").read_bytes()).astype(int)

    def shown(query: str, kind: str = "png") -> Image:
        status, _, body = ask(studio, f"{path}/full.{kind}?{query}")
        assert status == 200
        image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        return np.asarray(image, np.uint8)

    styled = shown("")
    cut = shown("room=transparent")
    assert (cut[face][3], cut[wall][3]) == (255, 0)
    assert np.array_equal(cut[face][:3], styled[face])
    assert np.abs(shown("room=transparent", "jpg")[wall].astype(int) - CHROMA).max() < 8
    raw_person, raw_room = shown("person=raw"), shown("room=raw")
    assert np.array_equal(raw_person[face], original[face])
    assert np.array_equal(raw_person[wall], styled[wall])
    assert np.array_equal(raw_room[face], styled[face])
    assert np.array_equal(raw_room[wall], original[wall])
    assert np.array_equal(shown("room=paprika")[face], styled[face])
    assert decoded(ask(studio, f"{path}.jpg?room=blur")[2]).shape == styled.shape
    for wrong in ("person=blur", "room=blurr", "room=picture"):
        status, answer = call(studio, f"{path}.jpg?{wrong}")
        assert (status, "style" in json.dumps(answer)) == (400, True)


def test_photos_are_turned_as_they_were_taken_and_heic_is_read(studio: PageSink) -> None:
    """A telephone's picture stands upright, whatever its file is."""
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    turned = take(studio, as_file(picture(96, 64), "JPEG", exif=exif))
    assert (turned["width"], turned["height"]) == (64, 96)
    heic = take(studio, as_file(picture(96, 64), "HEIF"), "photo.heic")
    assert (heic["width"], heic["height"]) == (96, 64)


def test_the_sample_and_the_camera(studio: PageSink) -> None:
    """The sample is there without a camera; the camera's frame is, once one runs."""
    status, told = call(studio, "/api/photos/sample", "POST")
    assert (status, told["name"]) == (200, "sample.jpg")
    assert call(studio, "/api/photos/camera", "POST")[0] == 503
    studio.steer(StudioRoom([]), original=lambda: picture(64, 48, 3))
    status, told = call(studio, "/api/photos/camera", "POST")
    assert status == 200
    shown = decoded(ask(studio, f"/api/photos/{told['id']}/original.jpg")[2])
    assert np.abs(shown.astype(int) - picture(64, 48, 3)).mean() < 6


@pytest.mark.parametrize(
    ("content", "status", "says", "fix"),
    [
        (b"", 400, "empty", "Copy it again"),
        (b"nothing of a picture", 400, "odd.png is a text", "PNG"),
        (as_file(picture())[:80], 400, "Cannot read", "Copy it again"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, "", "PNG"),
        (b"#EXTM3U\nfile:///etc/passwd\n", 400, "", "PNG"),
    ],
)
def test_what_is_no_photo_is_refused_in_words(
    studio: PageSink, content: bytes, status: int, says: str, fix: str
) -> None:
    """The answer names the file, the cause and the way out."""
    got, answer = call(studio, "/api/photos?name=../../etc/odd.png", "POST", body=content)
    assert got == status
    assert says in answer["error"]["why"]
    assert "../" not in answer["error"]["why"]
    assert "openapi" not in answer["error"]["fix"]
    assert "path" not in answer["error"]["why"]
    assert fix in answer["error"]["why"] + answer["error"]["fix"]


def test_photos_are_bounded_in_bytes_pixels_and_number(studio: PageSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large is said before it is decoded; the oldest photo goes when there are too many."""
    monkeypatch.setattr(photo_studio, "MAX_PIXELS", 1000)
    status, answer = call(studio, "/api/photos?name=big.png", "POST", body=as_file(picture()))
    assert status == 400
    assert "million pixels" in answer["error"]["why"]
    monkeypatch.setattr(photo_studio, "MAX_PIXELS", 10**6)
    monkeypatch.setattr(photo, "MAX_BYTES", 5000)
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    status, answer = call(studio, "/api/photos", "POST", body=as_file(noise))
    assert status == 413
    small = as_file(picture())
    first = take(studio, small)
    for _ in range(photo_studio.MAX_PHOTOS):
        last = take(studio, small)
    assert ask(studio, f"/api/photos/{first['id']}/original.jpg")[0] == 404
    assert ask(studio, f"/api/photos/{last['id']}/original.jpg")[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nostyle.jpg", 404),
        ("hayao.jpg?network=huge", 400),
        ("hayao.jpg?faces=two", 400),
        ("hayao/full.png?strength=2", 400),
        ("hayao/full.png?strength=nan", 400),
        ("hayao/full.exe", 404),
    ],
)
def test_a_wrong_wish_is_refused(studio: PageSink, path: str, status: int) -> None:
    """Names and bounds are checked before anything is drawn."""
    told = take(studio, as_file(picture()))
    assert ask(studio, f"/api/photos/{told['id']}/{path}")[0] == status


def test_enlarging_keeps_the_photos_edges() -> None:
    """With the photo as guide an edge stays sharp that plain enlarging would blur."""
    photo = np.zeros((400, 400, 3), np.uint8)
    photo[:, 203:] = 220
    small = np.asarray(cv2.resize(photo, (100, 100), interpolation=cv2.INTER_AREA), np.uint8)
    guided = enlarged(small, small, photo)
    plain = np.asarray(cv2.resize(small, (400, 400), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert np.abs(guided.astype(int) - photo).mean() < 0.5 * np.abs(plain.astype(int) - photo).mean()
    seen: list[tuple[int, ...]] = []

    def draw(image: Image) -> Image:
        seen.append(image.shape)
        return image

    assert style_photo(np.zeros((3000, 4000, 3), np.uint8), draw).shape == (3000, 4000, 3)
    assert seen == [(480, 640, 3)]


@pytest.mark.parametrize(("faces", "side"), [("small", 960), ("usual", 480), ("close", 270)])
def test_a_photo_is_drawn_at_the_size_that_suits_its_faces(faces: str, side: int) -> None:
    """What is drawn is as large as was asked for, what comes back as large as the photo, in preview and download."""
    drawn: list[tuple[int, ...]] = []

    class Negative:
        """Draws what it is given, turned to its negative."""

        def draw(self, image: Image, strength: float) -> Image:
            drawn.append(image.shape)
            return 255 - image

        def close(self) -> None:
            pass

    with PageSink("0", OPTIONS) as page:
        page.steer(StudioRoom([]), photos=photo_studio.PhotoStudio(lambda style, network: Negative()))
        told = take(page, as_file(np.full((1500, 2000, 3), 90, np.uint8)))
        path = f"/api/photos/{told['id']}/hayao"
        whole = decoded(ask(page, f"{path}/full.png?faces={faces}")[2])
        assert ask(page, f"{path}.jpg?faces={faces}")[0] == 200
    assert (whole.shape, int(whole.min()), int(whole.max())) == ((1500, 2000, 3), 165, 165)
    assert [min(shape[:2]) for shape in drawn] == [side, min(side, 1050)]  # a preview is 1400 wide


def test_photos_are_drawn_with_the_network_that_draws_best(studio: PageSink) -> None:
    """Nothing has to be done 30 times a second, so "auto" is hayao's full network."""
    told = take(studio, as_file(picture(64, 48)))
    path = f"/api/photos/{told['id']}/hayao/full.png"
    best, lite, full = (ask(studio, f"{path}?network={name}")[2] for name in ("auto", "lite", "full"))
    assert best == full
    assert best != lite


def wait_for(page: PageSink, clip: dict[str, Any]) -> dict[str, Any]:
    """The state of a clip at its end."""
    states: list[dict[str, Any]] = []

    def ended() -> bool:
        states.append(call(page, f"/api/clips/{clip['id']}")[1])
        return bool(states[-1]["finished"] or states[-1]["error"])

    until(ended, "the clip is done")
    return states[-1]


def test_a_clip_comes_back_with_its_sound(studio: PageSink, tmp_path: Path) -> None:
    """A short video is styled into an MP4 of the same length, with progress; its files go with the page."""
    content = make_video(tmp_path / "clip.mp4", seconds=0.5, audio=True).read_bytes()
    status, clip = call(studio, "/api/clips?name=clip.mp4&style=hayao", "POST", body=content)
    assert status == 200, clip
    state = wait_for(studio, clip)
    assert (state["finished"], state["done"], state["error"]) == (True, 15, "")
    status, headers, body = ask(studio, f"/api/clips/{clip['id']}/styled.mp4")
    assert (status, headers["content-type"]) == (200, "video/mp4")
    with av.open(io.BytesIO(body), "r") as video:
        assert [stream.type for stream in video.streams] == ["video", "audio"]
        assert len(list(video.decode(video=0))) == 15
    folder = studio._server.site.features["clips"].get(clip["id"]).folder
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "source").stat().st_mode) == 0o600
    studio.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"nothing of a video",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    ],
)
def test_a_file_that_names_others_is_no_clip(studio: PageSink, content: bytes) -> None:
    """Playlists and the like could name any file of this computer: they are refused, and nothing stays."""
    status, clip = call(studio, "/api/clips?name=odd.mp4&style=hayao", "POST", body=content)
    assert status == 200
    state = wait_for(studio, clip)
    assert state["error"]
    assert not state["finished"]
    assert "livefilter-clip-" not in json.dumps(state)


def test_one_clip_at_a_time_and_it_can_be_cancelled(
    studio: PageSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A second one is told to wait; after a cancel nothing is left, or said to be, and the next one may come."""
    content = make_video(tmp_path / "clip.mp4", seconds=8).read_bytes()
    first = call(studio, "/api/clips?name=clip.mp4&style=hayao&network=full", "POST", body=content)[1]
    folder = studio._server.site.features["clips"].get(first["id"]).folder
    assert call(studio, "/api/clips?name=clip.mp4&style=hayao", "POST", body=content)[0] == 429
    until(lambda: call(studio, f"/api/clips/{first['id']}")[1]["done"] > 0, "the first frame")
    assert call(studio, f"/api/clips/{first['id']}", "DELETE") == (200, {"done": True})
    assert not folder.exists()
    assert folder.name not in caplog.text
    assert call(studio, f"/api/clips/{first['id']}")[0] == 404
    monkeypatch.setattr(clip_studio, "MAX_FRAMES", 20)
    long = call(studio, "/api/clips?name=clip.mp4&style=hayao", "POST", body=content)[1]
    assert "more than 20 frames" in wait_for(studio, long)["error"]


def test_another_web_site_sends_no_photos(studio: PageSink) -> None:
    """Uploads are guarded as everything else is."""
    evil = {"Origin": "http://evil.example"}
    assert ask(studio, "/api/photos", "POST", body=as_file(picture()), headers=evil)[0] == 403
    assert ask(studio, "/api/clips?style=hayao", "POST", body=b"x", headers=evil)[0] == 403
