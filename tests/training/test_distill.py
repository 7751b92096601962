"""The training loop, on pictures made on the spot."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tqdm")
pytest.importorskip("onnx")

from livefilter.errors import InvalidInput, UnknownName  # noqa: E402
from livefilter.generator.export import export  # noqa: E402
from livefilter.generator.network import Design, Generator, at_strength  # noqa: E402
from livefilter.styles.card import read_card  # noqa: E402
from livefilter.toml import tomllib  # noqa: E402
from livefilter.training.card import write_style  # noqa: E402
from livefilter.training.checkpoint import load_checkpoint  # noqa: E402
from livefilter.training.data import Pair  # noqa: E402
from livefilter.training.distill import LATEST, Distillation, distill  # noqa: E402
from livefilter.training.distill_recipe import DistillRecipe  # noqa: E402
from livefilter.training.figures import measure  # noqa: E402
from livefilter.training.muon import KernelMuon  # noqa: E402
from livefilter.training.perceptual import MobileFeatures  # noqa: E402
from livefilter.training.recipe import card_of  # noqa: E402
from livefilter.training.sheet import draw, write_sheet  # noqa: E402
from livefilter.training.target import Finish, finished  # noqa: E402
from tests.training.mobile import weights  # noqa: E402

TINY = Design(half=16, quarter=16, eighth=16, eighth_blocks=1)


@pytest.fixture(scope="module", autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """Two scenes of discs; the drawing outlines them and turns them warm."""
    made = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        photo = np.full((96, 96, 3), 190, np.uint8)
        drawing = np.full((96, 96, 3), (180, 200, 215), np.uint8)
        for _ in range(6):
            x, y, radius = (int(value) for value in random.integers([10, 10, 6], [86, 86, 20]))
            colour = [int(value) for value in random.integers(40, 220, 3)]
            cv2.circle(photo, (x, y), radius, colour, -1)
            cv2.circle(drawing, (x, y), radius, [colour[0] // 2, colour[1], colour[2]], -1)
            cv2.circle(drawing, (x, y), radius, (40, 40, 40), 1)
        made.append(Pair(str(seed), photo, drawing, finished(drawing, photo, Finish())))
    return made


def recipe(steps: int = 40, adversarial_from: int = 30) -> DistillRecipe:
    """A run of a few steps; the discriminator joins near its end."""
    return DistillRecipe(steps=steps, adversarial_from=adversarial_from, batch=4, crop=64, warm_up=4, bfloat16=False)


def test_every_term_is_finite_and_the_total_falls(pairs: list[Pair]) -> None:
    """Forty steps bring the total down, with and without the discriminator, and no term goes astray."""
    run = Distillation(pairs, recipe(), TINY)
    history: list[dict[str, float]] = []
    run.run(40, lambda terms: history.append({name: float(value) for name, value in terms.items()}))
    assert all(np.isfinite(value) for terms in history for value in terms.values())
    assert set(history[0]) == {"colour", "gradient", "lines", "flatness", "consistency", "tones", "total"}
    assert set(history[-1]) == set(history[0]) | {"adversarial", "features", "discriminator"}
    totals = [terms["total"] for terms in history[:30]]
    assert np.mean(totals[-5:]) < 0.7 * np.mean(totals[:5])


def test_minutes_end_a_run_and_set_its_pace(pairs: list[Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of so many minutes takes ever smaller steps toward their end and stops there; once over, it stays over."""
    clock = itertools.count()  # a second passes whenever somebody looks
    monkeypatch.setattr("livefilter.training.distill.time.perf_counter", lambda: float(next(clock)))
    asked = replace(recipe(steps=1_000_000), minutes=0.5)
    run = Distillation(pairs, asked, TINY)
    paces: list[float] = []
    run.run(10, lambda terms: paces.append(run.pace()))
    run.save(tmp_path / LATEST)
    again = Distillation(pairs, asked, TINY)
    again.restore(tmp_path / LATEST)
    assert (again.step, again.seconds) == (10, 10.0)
    again.run(1_000_000, lambda terms: paces.append(again.pace()))
    assert (again.step, again.seconds) == (30, 30.0)
    assert paces[4:] == sorted(paces[4:], reverse=True)
    assert paces[-1] == pytest.approx(asked.last_pace)
    again.run(1_000_000)
    assert again.step == 30


def test_plain_l1_asks_for_pixels_only(pairs: list[Pair]) -> None:
    """The baseline of the report computes no other term."""
    run = Distillation(pairs, recipe().plain_l1(), TINY)
    found: list[set[str]] = []
    run.run(1, lambda terms: found.append(set(terms)))
    assert found == [{"pixels", "total"}]


def test_drawings_are_compared_by_features_where_they_are_given(pairs: list[Pair]) -> None:
    """The perceptual term is part of the total, with its weight, and moves the network."""
    weighted = replace(recipe(), weights=dict.fromkeys(recipe().weights, 0.0) | {"perceptual": 3.0})
    run = Distillation(pairs, weighted, TINY, eyes=MobileFeatures(weights()))
    before = [value.clone() for value in run.generator.parameters()]
    found: list[dict[str, Any]] = []
    run.run(2, found.append)
    assert [set(terms) for terms in found] == [{"perceptual", "total"}] * 2
    assert all(terms["total"] == pytest.approx(3.0 * float(terms["perceptual"])) for terms in found)
    assert any((one != other).any() for one, other in zip(before, run.generator.parameters(), strict=True))


def test_a_kernel_learns_in_all_directions() -> None:
    """However unequal the directions of a gradient are, a step goes about equally far in each, against the gradient."""
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(8, 36), full_matrices=False)
    gradient = left @ torch.diag(torch.logspace(0, -2, 8)) @ right
    kernel = torch.nn.Parameter(torch.zeros(8, 4, 3, 3).contiguous(memory_format=torch.channels_last))
    kernel.grad = gradient.view(8, 4, 3, 3)
    KernelMuon([kernel]).step(0.01)
    step = kernel.detach().flatten(1) / 0.01
    assert float((step * gradient).sum()) < 0.0
    sizes = torch.linalg.svdvals(step)
    assert 0.5 < float(sizes.min()) <= float(sizes.max()) < 1.5


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(pairs: list[Pair], tmp_path: Path) -> None:
    """Saving, restoring and going on gives the same weights as going through, discriminator included."""
    through = Distillation(pairs, recipe(steps=8, adversarial_from=3), TINY)
    through.run(8)
    cut = Distillation(pairs, recipe(steps=8, adversarial_from=3), TINY)
    cut.run(5)
    cut.save(tmp_path / LATEST)
    resumed = Distillation(pairs, recipe(steps=8, adversarial_from=3), TINY)
    resumed.restore(tmp_path / LATEST)
    assert resumed.step == 5
    resumed.run(8)
    for wanted, found in zip(through.averaged.parameters(), resumed.averaged.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_run_goes_on_with_the_edges_that_it_began_with(
    pairs: list[Pair], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder from before edges were drawn crisp ends in the network that it would have ended in, and says so once."""
    through = Distillation(pairs, recipe(steps=4), TINY)
    through.run(4)
    cut = Distillation(pairs, recipe(steps=4), TINY)
    cut.run(2)
    cut.save(tmp_path / LATEST)
    shown = pairs[0].photo
    crisp = replace(TINY, crisp=4)
    resumed = distill(Distillation(pairs, recipe(steps=4), crisp), tmp_path, lambda network, path: None)
    assert np.abs(draw(resumed, shown) - draw(through.averaged, shown).astype(int)).max() <= 1
    assert load_checkpoint(tmp_path / LATEST)["averaged"]["design"]["crisp"] == 0
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"The run in {tmp_path} goes on with edges as crisp as it began with: 0, and 4 today." in told
    begun = Distillation(pairs, recipe(steps=4), crisp)
    begun.start_from(tmp_path / LATEST)
    assert begun.generator.design.crisp == begun.averaged.design.crisp == 4


def test_a_run_can_start_from_another_style(pairs: list[Pair], tmp_path: Path) -> None:
    """The next run, of the same design or a larger one, first draws as the averaged network of a finished one does."""
    first = Distillation(pairs, recipe(steps=4), TINY)
    first.run(4)
    first.save(tmp_path / LATEST)
    larger = replace(TINY, half=24, quarter=32, eighth=24, half_convs=2, quarter_convs=2, eighth_blocks=3)
    wanted = draw(first.averaged, pairs[0].photo).astype(int)
    for design in (TINY, larger):
        second = Distillation(pairs, recipe(), design)
        second.start_from(tmp_path / LATEST)
        assert second.step == 0
        for network in (second.generator, second.averaged):
            assert np.abs(draw(network, pairs[0].photo) - wanted).max() <= 1
    for smaller in (replace(TINY, eighth=4), replace(TINY, eighth_blocks=0)):
        with pytest.raises(InvalidInput, match="another design"):
            Distillation(pairs, recipe(), smaller).start_from(tmp_path / LATEST)


def test_a_run_can_start_from_a_styles_file_and_leaves_an_output_for_people(pairs: list[Pair], tmp_path: Path) -> None:
    """A network's ONNX file draws the same before its first step; weights that find people are not taken."""
    first = Distillation(pairs, recipe(), replace(TINY, person=1))
    first.save(tmp_path / LATEST)
    export(at_strength(first.averaged), tmp_path / "lite.onnx")
    plain = Distillation(pairs, recipe(), TINY)
    plain.start_from(tmp_path / LATEST)
    file = Distillation(pairs, recipe(), TINY)
    file.start_from(tmp_path / "lite.onnx")
    wanted = draw(first.averaged, pairs[0].photo).astype(int)
    assert np.abs(draw(plain.averaged, pairs[0].photo) - wanted).max() == 0
    assert np.abs(draw(file.averaged, pairs[0].photo) - wanted).max() <= 1  # its weights are float16
    with pytest.raises(InvalidInput, match="another design"):
        Distillation(pairs, recipe(), replace(TINY, eighth=4)).start_from(tmp_path / "lite.onnx")


def test_distill_leaves_a_checkpoint_and_sheets(pairs: list[Pair], tmp_path: Path) -> None:
    """The loop writes its checkpoint and a sample sheet, and a second call has nothing left to do."""
    sheets: list[Path] = []

    def sheet(network: Generator, path: Path) -> None:
        write_sheet(network, pairs, path)
        sheets.append(path)

    short = recipe(steps=4)
    distill(Distillation(pairs, short, TINY), tmp_path, sheet, save_every=2, sheet_every=4)
    distill(Distillation(pairs, short, TINY), tmp_path, sheet, save_every=2, sheet_every=4)
    assert [path.name for path in sheets] == ["sheet-000004.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [LATEST, "sheet-000004.png"]
    sheet_seen = cv2.imread(str(sheets[0]))
    assert sheet_seen is not None
    assert sheet_seen.shape == (2 * round(1600 / 3), 1600, 3)  # two pairs; the target is the drawing
    write_sheet(Generator(TINY), [replace(pair, target=255 - pair.drawing) for pair in pairs], sheets[0])
    wider = cv2.imread(str(sheets[0]))
    assert wider is not None
    assert wider.shape == (2 * 400, 1600, 3)


def test_a_damaged_checkpoint_is_named(pairs: list[Pair], tmp_path: Path) -> None:
    """A file that is no checkpoint, or one of another design, is refused in one line."""
    (tmp_path / "torn.pt").write_bytes(b"half a file")
    with pytest.raises(InvalidInput, match="not a readable training checkpoint"):
        load_checkpoint(tmp_path / "torn.pt")
    Distillation(pairs, recipe(), TINY).save(tmp_path / LATEST)
    with pytest.raises(InvalidInput, match="another design"):
        Distillation(pairs, recipe(), Design(eighth=32)).restore(tmp_path / LATEST)
    with pytest.raises(InvalidInput, match="another design"):  # of which no weight tells
        Distillation(pairs, recipe(), replace(TINY, dilation=2)).restore(tmp_path / LATEST)


def test_figures_know_nothing_and_everything(pairs: list[Pair]) -> None:
    """Doing nothing captures no share of the change, and the target itself captures all of it."""
    targets = {pair.photo.tobytes(): pair.target for pair in pairs}
    nothing = measure(pairs, lambda photo: photo)
    everything = measure(pairs, lambda photo: targets[photo.tobytes()])
    assert nothing["share_of_target_pixels"] == 0.0
    assert everything["share_of_target_lines"] == 1.0
    assert nothing["psnr_photo_to_teacher_db"] == nothing["psnr_student_to_teacher_db"]


def test_a_style_folder_is_complete(pairs: list[Pair], tmp_path: Path) -> None:
    """Network, card and picture are written, and the card names the network's own checksum."""
    cv2.imwrite(str(tmp_path / "photo.png"), pairs[0].photo)
    torch.manual_seed(0)
    folder = tmp_path / "hayao"
    photo = tmp_path / "photo.png"
    frames = [pair.photo for pair in pairs]
    write_style(folder, card_of("hayao"), "lite", Generator(TINY), "a command", {"held_out_photos": 2}, photo, frames)
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.toml", "lite.int8.onnx", "lite.onnx", "picture.jpg",
    ]  # fmt: skip
    read_card(folder).networks["lite"].verify()
    assert len(card["networks"]["lite"]["int8_sha256"]) == 64
    assert len(card["networks"]["lite"]["sha256"]) == 64
    assert card["networks"]["lite"]["figures"]["held_out_photos"] == 2
    assert draw(Generator(TINY), pairs[0].photo).shape == (96, 96, 3)
    with pytest.raises(UnknownName, match="hayaa"):
        card_of("hayaa")


def test_the_other_size_of_a_style_stays(pairs: list[Pair], tmp_path: Path) -> None:
    """A second network goes onto the same card, and the picture is that of the best one, here `lite`."""
    photo, folder = tmp_path / "photo.png", tmp_path / "portrait"
    cv2.imwrite(str(photo), pairs[0].photo)
    torch.manual_seed(0)
    portrait = replace(card_of("portrait"), best="lite")
    write_style(folder, portrait, "lite", Generator(TINY), "second", {"psnr_db": 24.5}, photo)
    picture = (folder / "picture.jpg").read_bytes()
    write_style(folder, portrait, "full", Generator(TINY), "first", {}, photo)
    style = read_card(folder)
    assert [network.training for network in style.networks.values()] == ["second", "first"]
    assert style.networks["lite"].figures == {"psnr_db": 24.5}
    assert (folder / "picture.jpg").read_bytes() == picture
    with pytest.raises(UnknownName, match="network size"):
        write_style(folder, portrait, "huge", Generator(TINY), "", {}, photo)
