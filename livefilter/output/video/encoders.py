"""How each kind of file and stream is encoded."""

from __future__ import annotations

from dataclasses import dataclass, field

# H.264 for people who may wait a moment: players of every kind take it.
_X264_FILE = {"preset": "veryfast", "crf": "20", "bf": "0"}
_X264_LIVE = {"preset": "veryfast", "tune": "zerolatency", "forced-idr": "1"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "32", "b": "0"}

_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"))
_IN_MOV = frozenset(("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le"))

_IN_MKV = frozenset(("aac", "mp3", "mp2", "ac3", "eac3", "dts", "truehd", "alac", "opus", "vorbis", "flac")) | {
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "wavpack", "tta"),
}

# A piece of a file is complete on disk after this long, so that is what a crash can cost.
_PIECE_US = 1_000_000


@dataclass(frozen=True, slots=True)
class WithAlpha:
    """How a container keeps transparency. codec, codec_options: the video encoder; pixels: libav's name of its form."""

    codec: str
    codec_options: dict[str, str]
    pixels: str


@dataclass(frozen=True, slots=True)
class Container:
    """How one kind of container is written.

    name: libav's.
    codec, codec_options: the video encoder.
    container_options: for the muxer.
    sound_copied: codecs of sound that are copied as they are; None for all.
    sound_encoder: what other sound becomes.
    hold_s: seconds after which a picture that does not change is written again.
    alpha: how it holds transparency, if it can.
    bits_per_pixel: for a constant rate on a network; 0 keeps the quality constant instead.
    """

    name: str
    codec: str = "libx264"
    codec_options: dict[str, str] = field(default_factory=lambda: dict(_X264_FILE))
    container_options: dict[str, str] = field(default_factory=dict)
    sound_copied: frozenset[str] | None = None
    sound_encoder: str = "aac"
    hold_s: float = 1.0
    bits_per_pixel: float = 0.0
    alpha: WithAlpha | None = None


_MP4_OPTIONS = {
    # Written in pieces, so that it is whole at every moment, and made an ordinary, seekable film when it is finished.
    "movflags": "+frag_keyframe+default_base_moof+delay_moov+hybrid_fragmented",
    "frag_duration": str(_PIECE_US),
    # The start of the sound beside the picture is kept in units of this; the default is whole milliseconds.
    "movie_timescale": "90000",
    "flush_packets": "1",
}
# Without "bitexact" Matroska gets a random number, and the same film would never be the same file twice.
_MKV_OPTIONS = {"cluster_time_limit": str(_PIECE_US // 1000), "flush_packets": "1", "fflags": "+bitexact"}

FILES = {
    ".mp4": Container("mp4", container_options=_MP4_OPTIONS, sound_copied=_IN_MP4),
    # What video editors take with transparency: ProRes 4444, ten times as large.
    ".mov": Container(
        "mov",
        container_options=_MP4_OPTIONS,
        sound_copied=_IN_MOV,
        alpha=WithAlpha("prores_ks", {"profile": "4444", "vendor": "apl0"}, "yuva444p10le"),
    ),
    ".mkv": Container("matroska", container_options=_MKV_OPTIONS, sound_copied=_IN_MKV),
    ".webm": Container(
        "webm",
        "libvpx-vp9",
        dict(_VP9),
        _MKV_OPTIONS,
        frozenset(("opus", "vorbis")),
        sound_encoder="libopus",
        alpha=WithAlpha("libvpx-vp9", dict(_VP9), "yuva420p"),
    ),
}

FLV = Container(
    "flv",
    codec_options=dict(_X264_LIVE),
    container_options={"flvflags": "no_duration_filesize"},
    sound_copied=frozenset(("aac",)),
    hold_s=0.2,
    bits_per_pixel=0.1,
)
MPEG_TS = Container(
    "mpegts",
    codec_options=dict(_X264_LIVE),
    container_options={"mpegts_flags": "+resend_headers"},
    sound_copied=frozenset(("aac", "mp2", "mp3", "ac3", "eac3")),
    hold_s=0.2,
    bits_per_pixel=0.1,
)
