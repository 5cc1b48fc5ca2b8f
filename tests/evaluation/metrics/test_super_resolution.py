"""What is measured of enlarged images: consistency, perceptual distance, PSNR and SSIM by other protocols."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate1d
from sklearn.datasets import load_sample_images
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.baselines import baselines_of
from ganops.evaluation.context import EvalContext
from ganops.evaluation.metric import Result
from ganops.evaluation.metric_groups import find_group
from ganops.evaluation.metric_names import describe, metric_key
from ganops.evaluation.metrics.pairs import PairsSettings
from ganops.evaluation.metrics.perceptual import perceptual_distance
from ganops.evaluation.similarity import luma_of_video, psnr, ssim, without_border
from ganops.games.task import Task
from ganops.networks.image_features.features import IMAGE_FEATURES
from ganops.params import EvaluateParams
from ganops.settings import Settings

LARGE, SMALL = ImageField(channels=3, size=32), ImageField(channels=3, size=16)
TASK = Task(outputs={"image": LARGE}, inputs={"low": SMALL}, paired=True)


def photos(count: int = 6) -> Tensor:
    """(count, 3, 32, 32) pieces of a photo."""
    pixels = torch.from_numpy(load_sample_images().images[1].copy()).permute(2, 0, 1)
    return torch.stack([pixels[:, 60 * row : 60 * row + 32, 200:232] for row in range(count)])


def bicubic(inputs: Tensor) -> Tensor:
    return baselines_of(TASK)["bicubic"].answer(Rows({"low": inputs}))["image"]


def measured(group: str, outputs: Tensor, truth: Tensor, settings: Settings | None = None) -> Result:
    spec = DataSpec(fields={"image": LARGE})
    context = EvalContext(
        *(TASK, spec, spec, "image", {} if settings is None else {group: settings}, EvaluateParams(), 0, len(outputs))
    )
    accumulator = find_group(group).start(context)
    for rows in torch.split(torch.arange(len(outputs)), 4):
        low = LARGE.convert(truth[rows], SMALL)
        accumulator.update(Rows({"low": low}), Rows({"image": outputs[rows]}), Rows({"image": truth[rows]}))
    return accumulator.compute()


def test_bicubic_is_that_of_pillow() -> None:
    """But for a grey level or two, since Pillow rounds between its two passes."""
    low = LARGE.convert(photos(), SMALL)
    for given, found in zip(low, bicubic(low), strict=True):
        picture = Image.fromarray(given.permute(1, 2, 0).numpy()).resize((32, 32), Image.Resampling.BICUBIC)
        error = (torch.from_numpy(np.array(picture)).permute(2, 0, 1).int() - found.int()).abs()
        assert error.max() <= 2
        assert error.float().mean() < 0.4


def test_only_images_of_another_size_and_the_same_colours_have_it_as_a_baseline() -> None:
    grey = ImageField(channels=1, size=16)
    assert set(baselines_of(TASK)) == {"bicubic"}
    assert set(baselines_of(Task({"image": LARGE}, {"low": LARGE}, paired=True))) == {"identity"}
    assert baselines_of(Task({"image": LARGE}, {"low": grey}, paired=True)) == {}


def test_consistency_is_the_psnr_of_the_output_made_small_again() -> None:
    truth = photos()
    assert measured("consistency", truth, truth).values["consistency"].value == 100, "the truth is consistent"
    darker = (truth.int() - 10).clamp(min=0).to(torch.uint8)
    values = measured("consistency", darker.clamp(min=1), (darker + 10).clamp(max=250)).values
    assert values["consistency"].value == pytest.approx(20 * log10(255 / 10), abs=0.5)
    # A pattern that averages to nothing is invented detail, which consistency cannot see.
    checks = 20 * (2 * ((torch.arange(32)[:, None] + torch.arange(32)) % 2) - 1)
    invented = (truth.int().clamp(20, 235) + checks).to(torch.uint8)
    assert measured("consistency", invented, truth.clamp(20, 235)).values["consistency"].value > 40


def test_it_applies_to_tasks_that_enlarge_by_a_whole_factor() -> None:
    applies, spec = find_group("consistency").applies, DataSpec(fields={"image": LARGE})
    assert applies(TASK, spec)
    assert not applies(Task({"image": LARGE}, {"low": LARGE}, paired=True), spec)
    assert not applies(Task({"image": LARGE}, {"low": ImageField(channels=3, size=20)}, paired=True), spec)


def test_perceptual_distance_is_lpips_without_learnt_weights() -> None:
    features = IMAGE_FEATURES.build({"kind": "efficientnet-lite0", "layers": {"stem": 2.0, "block4": 1.0}}, "test")
    truth = photos()
    blurred = torch.nn.functional.avg_pool2d(truth.float(), 3, 1, 1).to(torch.uint8)
    expected = torch.zeros(6)
    for weight, *maps in zip(
        (2.0, 1.0), *(features(each.float() / 127.5 - 1) for each in (truth, blurred)), strict=True
    ):
        one, other = (each / each.norm(dim=1, keepdim=True) for each in maps)
        expected += weight * (one - other).square().sum(dim=1).mean(dim=(1, 2))
    torch.testing.assert_close(perceptual_distance(features, blurred, truth), expected.double(), rtol=1e-4, atol=1e-6)
    assert perceptual_distance(features, truth, truth).max() == 0


def test_the_key_and_the_title_name_the_features() -> None:
    truth = photos()
    found = measured("perceptual", truth.flip(3), truth)
    (key,) = found.values
    assert key == metric_key(key, "classifier") == "perceptual_efficientnet-lite0"
    assert describe(key).title == "Perceptual distance (EfficientNet-Lite0)"
    assert found.values[key].value > 0
    assert str(found.settings["sha256"]).startswith("57934424")


def test_luma_is_that_of_matlab() -> None:
    """rgb2ycbcr: black 16, white 235, pure green 16 + 128.553."""
    colours = torch.tensor([[0, 0, 0], [255, 255, 255], [0, 255, 0]], dtype=torch.uint8).view(3, 3, 1, 1)
    assert luma_of_video(colours).flatten().tolist() == pytest.approx([16, 235, 144.553])


def test_protocols_differ_as_their_settings_say() -> None:
    truth = photos()
    outputs = bicubic(LARGE.convert(truth, SMALL))
    own, published = (
        measured("pairs", outputs, truth, settings)
        for settings in (PairsSettings(), PairsSettings(colours="luma", border=4, edges="left-out"))
    )
    inside, real = (luma_of_video(without_border(images, 4)) for images in (outputs, truth))
    assert published.values["psnr"].value == pytest.approx(float(psnr(inside, real).mean()))
    assert published.values["ssim"].value == pytest.approx(float(ssim(inside, real, "left-out").mean()))
    assert own.values["psnr"].value < published.values["psnr"].value - 0.5, (
        "colour is hidden, and the range is narrower"
    )
    assert own.settings["border"] != published.settings["border"]
    with pytest.raises(EvaluationError) as caught:
        measured("pairs", outputs, truth, PairsSettings(border=11, edges="left-out"))
    assert caught.value.code == "border-too-wide"


def test_ssim_without_edges_is_that_of_matlab() -> None:
    """As calculate_ssim of BasicSR: windows that lie within the image, here by scipy."""
    truth = photos(1)
    outputs = bicubic(LARGE.convert(truth, SMALL))
    taps = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    taps /= taps.sum()

    def mean(values: np.ndarray) -> np.ndarray:
        both: np.ndarray = correlate1d(correlate1d(values, taps, axis=0), taps, axis=1)
        return both[5:-5, 5:-5]

    values = []
    for x, y in zip(outputs[0].double().numpy(), truth[0].double().numpy(), strict=True):
        c1, c2, mx, my = 6.5025, 58.5225, mean(x), mean(y)
        sxx, syy, sxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        values.append(((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sxx + syy + c2))).mean())
    assert float(ssim(outputs, truth, "left-out")) == pytest.approx(float(np.mean(values)), abs=1e-9)


def test_coloured_images_made_grey_again_are_compared_with_their_inputs() -> None:
    truth, grey = photos(), ImageField(channels=1, size=32)
    inputs = LARGE.convert(truth, grey)
    task = Task(outputs={"image": LARGE}, inputs={"source": grey}, paired=True)
    plain = DataSpec(fields={"image": LARGE})
    derived = plain.model_copy(update={"derived": {"source": {"kind": "grey"}}})

    def consistency(spec: DataSpec, outputs: Tensor) -> Result:
        group = find_group("consistency")
        assert group.applies(task, plain)
        accumulator = group.start(EvalContext(task, plain, spec, "image", {}, EvaluateParams(), 0, len(outputs)))
        accumulator.update(Rows({"source": inputs}), Rows({"image": outputs}), None)
        return accumulator.compute()

    assert consistency(derived, truth).values["consistency"].value > 48  # but for rounding
    assert consistency(derived, 255 - truth).values["consistency"].value < 15
    assert not consistency(plain, truth).values  # the grey input is something else
