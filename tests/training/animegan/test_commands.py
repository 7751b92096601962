"""The commands, and several processes that train as one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from livefilter.cli.train import train
from livefilter.errors import InvalidInput
from livefilter.generator.animegan import FAMILY, animegan
from livefilter.inference.onnxruntime import OnnxRuntimeCpu
from livefilter.training.animegan.compare import speckle
from livefilter.training.animegan.files import read_generator, write_generator
from livefilter.training.animegan.run import LATEST, LOGS
from livefilter.training.animegan.samples import draw
from livefilter.training.animegan.team import Team
from livefilter.training.animegan.trainer import read_checkpoint
from tests.conftest import picture
from tests.training.animegan.conftest import Material
from tests.training.animegan.test_trainer import trainer

pytestmark = pytest.mark.timeout(300)  # seconds of work, minutes on a machine with much else to do
ROOT = Path(__file__).resolve().parents[3]


def options(material: Material, out: Path) -> list[str]:
    """A run of four steps, two of them for content alone."""
    paths = {"photos": material.photos, "style": material.style, "vgg": material.vgg, "out": out}
    numbers = {"epochs": 2, "pretrain-epochs": 1, "batch": 2, "crop": 32, "samples": 2, "seed": 5, "every": 2}
    named = [f"--{name}={value}" for name, value in (paths | numbers).items()]
    return ["animegan", *named, "--generator=v2-light", "--device=cpu", "--preset=shinkai"]


def invoke(arguments: list[str]) -> str:
    """Call the group, let errors through, and return what was said."""
    return CliRunner().invoke(train, arguments, catch_exceptions=False, standalone_mode=False).output


@pytest.mark.timeout(420)
def test_two_processes_train_as_one(material: Material, tmp_path: Path) -> None:
    """torchrun with two processes over gloo ends with the weights that one process ends with."""
    said = invoke(options(material, tmp_path / "one"))
    assert "livefilter import" in said
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [*torchrun, "-m", "livefilter", "train", *options(material, tmp_path / "two")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

    one, two = (read_checkpoint(tmp_path / name / LATEST) for name in ("one", "two"))
    assert one["step"] == two["step"] == 4
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(
        path.name for path in (tmp_path / "one").iterdir()
    )
    torch.manual_seed(5)
    start = animegan("v2-light").state_dict()
    learnt = sum(float((one["generator"][name] - start[name]).square().sum()) for name in start) ** 0.5
    apart = sum(float((one["generator"][name] - two["generator"][name]).square().sum()) for name in start) ** 0.5
    # Adam's first steps follow the sign of a gradient, so rounding shows where that is next to nothing.
    assert apart < 0.05 * learnt
    first, second = (logged(tmp_path / name / LOGS) for name in ("one", "two"))
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert second[name] == pytest.approx(values, rel=0.01), name


def logged(folder: Path) -> dict[str, list[float]]:
    """Each term as TensorBoard has it."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: [event.value for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_a_batch_must_be_shared_evenly() -> None:
    """Three processes and a batch of four would make the result depend on the number of processes."""
    team = Team(torch.device("cpu"), rank=1, size=3)
    assert team.share(12) == (4, 8)
    with pytest.raises(InvalidInput, match="cannot be shared by 3"):
        team.share(4)


def test_the_tool_smooths_a_folder(material: Material, tmp_path: Path) -> None:
    """`smooth-edges` writes as many pictures as the style has."""
    assert "4 pictures" in invoke(["smooth-edges", str(material.style), str(tmp_path / "smooth"), "--size", "48"])
    assert len(list((tmp_path / "smooth").iterdir())) == 4


def test_a_checkpoint_becomes_a_network(material: Material, tmp_path: Path) -> None:
    """`export-animegan` writes safetensors and ONNX; the network draws what the generator of the checkpoint draws."""
    training = trainer(material)
    training.save(tmp_path / "best.pt")
    for name in ("made.safetensors", "made.onnx"):
        assert "livefilter import" in invoke(["export-animegan", str(tmp_path / "best.pt"), str(tmp_path / name)])
    image = picture(64, 48)
    wanted = draw(read_generator(tmp_path / "made.safetensors"), image).astype(np.int16)
    with OnnxRuntimeCpu(tmp_path / "made.onnx", 64, 48) as engine:
        assert np.abs(engine.run(image).astype(np.int16) - wanted).max() <= 1
    assert wanted.std() > 5
    (tmp_path / "other.pt").write_bytes(material.vgg.read_bytes())
    with pytest.raises(InvalidInput, match=r"other.pt holds no AnimeGAN generator"):
        invoke(["export-animegan", str(tmp_path / "other.pt"), str(tmp_path / "made.onnx")])


def test_generators_are_compared_on_the_same_photos(material: Material, tmp_path: Path) -> None:
    """`compare-animegan` draws a row a photo with a column for each generator, and names each one's version."""
    for version in FAMILY:
        write_generator(animegan(version), tmp_path / f"{version}.safetensors", {})
    files = [str(tmp_path / f"{version}.safetensors") for version in FAMILY]
    command = ["compare-animegan", str(material.photos), str(tmp_path / "sheet.png"), *files]
    said = invoke([*command, "--size", "32", "--limit", "2"])
    assert all(f"{version}.safetensors ({version})" in said for version in FAMILY)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] == 320 * 4
    with pytest.raises(InvalidInput, match="cannot be written"):
        invoke([*command[:2], str(tmp_path / "none" / "sheet.png"), files[1], "--size", "32", "--limit", "1"])


def test_specks_are_counted_where_the_photo_is_flat() -> None:
    """Fine dots on a wall count, a line along an edge of the photo does not, and without a wall there is no figure."""
    photo = np.full((64, 64, 3), 120, np.uint8)
    photo[:, 32:] = 220
    dotted, lined = photo.copy(), photo.copy()
    dotted[::4, ::4] += 30
    lined[:, 32] = 0
    assert speckle(photo, photo) == 0
    assert speckle(photo, dotted) > 1
    assert speckle(photo, lined) == 0
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.isnan(speckle(noise, noise))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the training extra every command says how to get it."""
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(InvalidInput, match=r"livefilter\[training\]"):
        invoke(["smooth-edges", "style", "out"])
