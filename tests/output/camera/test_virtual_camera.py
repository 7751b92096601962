"""The virtual camera, against a stand-in for pyvirtualcam: no real device is touched here."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.cutout import Cutout
from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.output import auto_outputs
from livefilter.output.base import SinkOptions
from livefilter.output.camera import virtual_camera
from livefilter.output.camera.driver import Loopback
from livefilter.output.camera.loopback import Accepted
from livefilter.output.camera.virtual_camera import VirtualCameraSink
from tests.conftest import frame, picture

OPTIONS = SinkOptions(64, 48, 30.0)


@dataclass
class FakeLibrary:
    """Looks like pyvirtualcam and notes every call; `refuses` names drivers that do not open."""

    drivers: tuple[str, ...] = ("v4l2loopback",)
    refuses: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    broken: str | None = None

    def __post_init__(self) -> None:
        self.camera = SimpleNamespace(BACKENDS=dict.fromkeys(self.drivers))
        self.PixelFormat = {name: name for name in ("I420", "NV12", "YUYV", "UYVY", "BGR", "RGBA")}

    def Camera(self, width: int, height: int, fps: float, **given: Any) -> Any:  # noqa: N802  # pyvirtualcam's own name
        if given["backend"] in self.refuses:
            raise RuntimeError(f"'{given['backend']}' backend: busy\nor gone")
        self.calls.append("open")
        self.opened.append({"size": (width, height), "fps": fps, **given})
        return SimpleNamespace(
            device=given["device"] or "first device",
            send=self._send,
            close=lambda: self.calls.append("close"),
            sleep_until_next_frame=lambda: self.calls.append("sleep"),
        )

    def _send(self, picture: Any) -> None:
        if self.broken:
            raise RuntimeError(self.broken)
        self.calls.append("send")
        self.sent.append(picture.copy())


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    """A machine with one driver that works."""
    fake = FakeLibrary()
    install(monkeypatch, fake)
    return fake


def install(monkeypatch: pytest.MonkeyPatch, fake: FakeLibrary, system: str = "linux", *devices: Loopback) -> None:
    """Make this a machine of that system with those loopback devices, where `fake` is pyvirtualcam."""
    monkeypatch.setitem(sys.modules, "pyvirtualcam", fake)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(virtual_camera, "loopbacks", lambda: list(devices))
    monkeypatch.setattr(
        virtual_camera, "missing_driver", lambda: None if devices or system != "linux" else "No driver."
    )
    monkeypatch.setattr(virtual_camera, "prepare", lambda path, width, height, fps, kind: Accepted(width, height, kind))
    monkeypatch.setattr(virtual_camera, "Watchers", FakeWatchers)
    monkeypatch.setattr(virtual_camera, "MappedBuffers", lambda path: FakeBuffers(fake.calls))


class FakeBuffers:
    """Notes when buffers are marked and let go."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def mark(self) -> None:
        self._calls.append("mark")

    def close(self) -> None:
        self._calls.append("let go")


class FakeWatchers:
    """Nobody has the device open but while `present`."""

    present = False

    def __init__(self, path: str) -> None:
        self.path = path

    def any(self) -> bool:
        return FakeWatchers.present

    def close(self) -> None:
        """Nothing to free."""


def test_frames_are_sent_one_by_one_and_the_device_is_closed_once(library: FakeLibrary) -> None:
    """The library's own pacing is never used: the pipeline keeps the rate."""
    sink = VirtualCameraSink("", OPTIONS)
    sink.send(frame(number=0))
    sink.send(frame(number=1))
    sink.close()
    sink.close()
    assert library.calls == ["open", "send", "send", "close"]


def test_linux_gets_its_native_format_converted_once(library: FakeLibrary) -> None:
    """v4l2loopback gets I420, which OBS can read, too; the picture comes back as it went in."""
    with VirtualCameraSink("", OPTIONS) as sink:
        sink.send(frame())
    assert library.opened[0]["fmt"] == "I420"
    back = cv2.cvtColor(library.sent[0], cv2.COLOR_YUV2BGR_I420)
    assert np.abs(back[16:].astype(int) - picture()[16:]).mean() < 3


def test_obs_gets_nv12(monkeypatch: pytest.MonkeyPatch) -> None:
    """OBS takes NV12, and the colours of both formats are the same."""
    fake = FakeLibrary(drivers=("obs", "unitycapture"))
    install(monkeypatch, fake, "win32")
    with VirtualCameraSink("OBS Virtual Camera", OPTIONS) as sink:
        sink.send(frame())
    assert (fake.opened[0]["fmt"], fake.opened[0]["device"]) == ("NV12", "OBS Virtual Camera")
    back = cv2.cvtColor(fake.sent[0], cv2.COLOR_YUV2BGR_NV12)
    assert np.abs(back[16:].astype(int) - picture()[16:]).mean() < 3


def test_macos_gets_uyvy(monkeypatch: pytest.MonkeyPatch) -> None:
    """OBS's extension for macOS takes UYVY."""
    fake = FakeLibrary(drivers=("obs",))
    install(monkeypatch, fake, "darwin")
    with VirtualCameraSink("", OPTIONS) as sink:
        sink.send(frame())
        assert sink.watched() is None
    assert fake.opened[0]["fmt"] == "UYVY"
    back = cv2.cvtColor(fake.sent[0], cv2.COLOR_YUV2BGR_UYVY)
    assert np.abs(back[16:].astype(int) - picture()[16:]).mean() < 3


def test_a_reader_from_before_keeps_its_size_until_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a program still reads 32x24 it gets that; when nobody watches the device takes the wanted size."""
    fake = FakeLibrary()
    install(monkeypatch, fake, "linux", Loopback("/dev/video9", "livefilter"))
    monkeypatch.setattr(FakeWatchers, "present", True)
    accepted = [Accepted(32, 24, "YUYV"), Accepted(64, 48, "YU12")]
    monkeypatch.setattr(virtual_camera, "prepare", lambda *_: accepted.pop(0))
    with VirtualCameraSink("", OPTIONS) as sink:
        assert "32x24" in (sink.notice or "")
        sink.send(frame())
        assert sink.watched()
        monkeypatch.setattr(FakeWatchers, "present", False)
        sink.send(frame())
    assert [(opened["size"], opened["fmt"]) for opened in fake.opened] == [((32, 24), "YUYV"), ((64, 48), "I420")]
    assert [sent.shape for sent in fake.sent] == [(24, 32, 2), (72, 64)]
    once = ["open", "mark", "send", "let go", "close"]
    assert fake.calls == once * 2


def test_a_reader_of_an_unknown_format_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is refused before anything is sent."""
    install(monkeypatch, FakeLibrary(), "linux", Loopback("/dev/video9", "livefilter"))
    monkeypatch.setattr(virtual_camera, "prepare", lambda *_: Accepted(64, 48, "XR24"))
    with pytest.raises(SinkUnavailable, match=r"/dev/video9 is still read as XR24.*Close"):
        VirtualCameraSink("", OPTIONS)


def test_the_next_driver_is_tried_when_one_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unity Capture serves where OBS is missing, and gets BGR as it is."""
    fake = FakeLibrary(drivers=("obs", "unitycapture"), refuses=("obs",))
    install(monkeypatch, fake, "win32")
    with VirtualCameraSink("", OPTIONS) as sink:
        sink.send(frame())
    assert (fake.opened[0]["backend"], fake.opened[0]["fmt"]) == ("unitycapture", "BGR")
    assert np.array_equal(fake.sent[0], picture())


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (63, 47), (1, 1)])
def test_odd_sizes_become_even_by_their_own_edge(library: FakeLibrary, width: int, height: int) -> None:
    """The device is opened with even sides, and the added column and row repeat the last ones."""
    given = np.full((height, width, 3), 50, np.uint8)
    given[:, -1] = given[-1] = 220
    with VirtualCameraSink("", SinkOptions(width, height, 30.0)) as sink:
        sink.send(Frame(given, 0, 0.0))
    even = (width + width % 2, height + height % 2)
    assert library.opened[0]["size"] == even
    luma = library.sent[0][: even[1]].astype(int)
    assert luma[-1, -1] == pytest.approx(luma[height - 1, width - 1], abs=2)


@pytest.mark.parametrize(
    ("target", "device"),
    [("", "/dev/video9"), ("/dev/video3", "/dev/video3"), ("OBS Virtual Camera", "/dev/video2")],
)
def test_linux_devices_are_found_by_label_path_or_preference(
    monkeypatch: pytest.MonkeyPatch, target: str, device: str
) -> None:
    """Without a name the device labelled "livefilter" is taken, not the first one."""
    fake = FakeLibrary()
    devices = [Loopback("/dev/video9", "livefilter"), Loopback("/dev/video2", "OBS Virtual Camera")]
    install(monkeypatch, fake, "linux", *devices)
    with VirtualCameraSink(target, OPTIONS) as sink:
        assert device in sink.name
    assert fake.opened[0]["device"] == device


def test_an_unknown_name_is_an_error_that_lists_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen is answered with the nearest name, and nothing is opened instead."""
    fake = FakeLibrary()
    install(monkeypatch, fake, "linux", Loopback("/dev/video9", "livefilter"))
    with pytest.raises(SinkUnavailable, match=r"'livefliter'.*Did you mean 'livefilter'.*/dev/video9"):
        VirtualCameraSink("livefliter", OPTIONS)
    assert fake.calls == []


def test_a_device_that_is_busy_is_an_error_of_one_line_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library said is kept, on one line, with what to do."""
    fake = FakeLibrary(refuses=("v4l2loopback",))
    install(monkeypatch, fake, "linux", Loopback("/dev/video9", "livefilter"))
    with pytest.raises(
        SinkUnavailable, match=r"/dev/video9 cannot be opened.*busy or gone.*Close the program"
    ) as caught:
        VirtualCameraSink("", OPTIONS)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SinkUnavailable)


def test_a_device_that_vanishes_is_a_lost_sink(library: FakeLibrary) -> None:
    """The library's error is translated and kept as the cause."""
    sink = VirtualCameraSink("", OPTIONS)
    library.broken = "no such device"
    with pytest.raises(SinkLost, match="no such device") as caught:
        sink.send(frame())
    assert isinstance(caught.value.__cause__, RuntimeError)
    sink.close()
    with pytest.raises(SinkLost, match="closed"):
        sink.send(frame())


def test_a_frame_of_another_size_is_refused(library: FakeLibrary) -> None:
    """A camera cannot change its size while programs show it."""
    with VirtualCameraSink("", OPTIONS) as sink, pytest.raises(InvalidInput, match=r"32x32.*64x48"):
        sink.send(frame(32, 32))


def test_a_missing_library_is_said_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyvirtualcam does not load, the reason says how to get it, and opening fails with the same words."""
    install(monkeypatch, FakeLibrary(), "linux", Loopback("/dev/video9", "livefilter"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert "pip install" in (VirtualCameraSink.unavailable() or "")
    with pytest.raises(SinkUnavailable, match="pip install"):
        VirtualCameraSink("", OPTIONS)


def test_auto_takes_the_camera_where_its_driver_is_and_the_page_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is a notice, not an error."""
    fake = FakeLibrary()
    install(monkeypatch, fake, "linux", Loopback("/dev/video9", "livefilter"))
    assert auto_outputs() == (["camera", "page"], [])
    install(monkeypatch, fake, "linux")
    assert auto_outputs() == (["page"], ["No driver."])


def test_without_a_driver_the_real_library_fails_with_the_same_words() -> None:
    """On a machine without a device, opening says what `unavailable` says. Real devices are not tried by any test."""
    missing = VirtualCameraSink.unavailable()
    if missing is None:
        pytest.skip("a virtual camera is present here")
    with pytest.raises(SinkUnavailable) as caught:
        VirtualCameraSink("", OPTIONS)
    assert str(caught.value) == missing


@pytest.mark.parametrize(("driver", "system"), [("v4l2loopback", "linux"), ("obs", "win32")])
def test_nv12_is_handed_over_as_it_is(monkeypatch: pytest.MonkeyPatch, driver: str, system: str) -> None:
    """Both drivers take it unconverted; a BGR frame, such as the holding card, is converted to it."""
    fake = FakeLibrary(drivers=(driver,))
    install(monkeypatch, fake, system)
    with VirtualCameraSink("", SinkOptions(64, 48, 30.0, nv12=True)) as sink:
        assert sink.takes_nv12
        sink.send(frame())
        made = np.array(fake.sent[0])
        sink.send(Frame(made, 1, 0.0))
        with pytest.raises(InvalidInput, match="64x96 cannot go"):
            sink.send(Frame(np.zeros((144, 64), np.uint8), 2, 0.0))
    assert fake.opened[0]["fmt"] == "NV12"
    assert made.shape == (72, 64)
    assert np.array_equal(fake.sent[1], made)


def test_a_driver_without_nv12_gets_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unity Capture takes BGR."""
    fake = FakeLibrary(drivers=("unitycapture",))
    install(monkeypatch, fake, "win32")
    with VirtualCameraSink("", SinkOptions(64, 48, 30.0, nv12=True)) as sink:
        sink.send(Frame(np.full((72, 64), 128, np.uint8), 0, 0.0))
    assert fake.opened[0]["fmt"] == "BGR"
    assert fake.sent[0].shape == (48, 64, 3)


def test_unity_capture_gets_a_transparent_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """RGBA with the person cut out, opaque where nothing is cut; other drivers, and runs without, get what they got."""
    fake = FakeLibrary(drivers=("unitycapture",))
    install(monkeypatch, fake, "win32")
    cutout = np.zeros((48, 64, 4), np.uint8)
    cutout[:, :32] = 10, 20, 30, 200
    with VirtualCameraSink("", SinkOptions(64, 48, 30.0, alpha=True)) as sink:
        sink.send(Frame(picture(), 0, 0.0, cutout=Cutout(lambda: cutout)))
        sink.send(frame())
    assert fake.opened[0]["fmt"] == "RGBA"
    assert fake.sent[0][0, [0, 40]].tolist() == [[30, 20, 10, 200], [0, 0, 0, 0]]
    assert np.array_equal(fake.sent[1][..., :3], picture()[..., ::-1])
    assert (fake.sent[1][..., 3] == 255).all()
    other = FakeLibrary(drivers=("obs",))
    install(monkeypatch, other, "win32")
    with VirtualCameraSink("", SinkOptions(64, 48, 30.0, alpha=True)) as sink:
        sink.send(Frame(picture(), 0, 0.0, cutout=Cutout(lambda: cutout)))
    assert other.opened[0]["fmt"] == "NV12"
