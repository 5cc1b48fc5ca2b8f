"""Derived columns: what each kind makes of an image, and what its numbers depend on."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation, with_derived
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.evaluation.precision import full_float32

FIELD = ImageField(channels=3, size=16)
IMAGES = torch.rand(50, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
SECTIONS: dict[str, dict[str, Any]] = {
    "noise": {"sigma": 0.5},
    "grey": {},
    "downscaled": {"factor": 4},
    "masked": {"side": 0.25},
    "edges": {},
    "blur": {"sigma": [0.5, 2.0]},
    "jpeg": {"quality": [10, 90]},
    "degraded": {"factor": 2},
}
FIXED = ("grey", "downscaled", "edges")


def derive(kind: str, images: Tensor = IMAGES, seed: int | None = 1, **settings: Any) -> Tensor:
    spec = DataSpec(fields={"image": FIELD}, derived={"new": {"kind": kind, **(settings or SECTIONS[kind])}})
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    rows = with_derived(Rows({"image": images}), spec, generator)
    assert rows["image"] is images
    assert tuple(rows["new"].shape[1:]) == spec.field("new", ImageField).shape
    return rows["new"]


def derivation(kind: str, **settings: Any) -> Derivation:
    return DERIVATIONS.build({"kind": kind, **settings}, "derived.new")


def test_these_are_all_kinds() -> None:
    shipped = [kind for kind in DERIVATIONS.names() if DERIVATIONS.module_of(kind)]  # others are those of tests
    assert shipped == sorted(SECTIONS)


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_generator_decides_everything(kind: str) -> None:
    before = torch.get_rng_state()
    assert torch.equal(derive(kind), derive(kind))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(derive(kind), derive(kind, seed=2)) == (kind in FIXED)


@pytest.mark.parametrize("kind", SECTIONS)
def test_without_a_generator_the_devices_own_is_used(kind: str) -> None:
    torch.manual_seed(3)
    once, again = derive(kind, seed=None), derive(kind, seed=None)
    assert torch.equal(once, again) == (kind in FIXED)
    torch.manual_seed(3)
    assert torch.equal(derive(kind, seed=None), once)


@pytest.mark.parametrize("kind", ["noise", "grey", "downscaled", "edges", "blur", "jpeg"])
def test_the_batch_changes_nothing(kind: str) -> None:
    settings = {key: value for key, value in SECTIONS[kind].items() if not isinstance(value, list)}
    settings |= {key: value[0] for key, value in SECTIONS[kind].items() if isinstance(value, list)}
    for part in (slice(0, 1), slice(0, 7)):
        torch.testing.assert_close(
            derive(kind, IMAGES[part], **settings), derive(kind, **settings)[part], atol=1e-6, rtol=0
        )


@pytest.mark.parametrize("kind", ["blur", "jpeg"])
def test_of_a_range_each_image_has_its_own_number_whatever_the_batch(kind: str) -> None:
    same = IMAGES[:1].expand(50, -1, -1, -1)
    found = derive(kind, same)
    assert not torch.equal(found[0], found[1])
    torch.testing.assert_close(derive(kind, same[:7]), found[:7], atol=1e-6, rtol=0)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["edges", "jpeg"])
def test_whole_numbers_are_the_same_on_every_device(kind: str) -> None:
    with full_float32():
        assert torch.equal(derive(kind, IMAGES.cuda()).cpu(), derive(kind))


@pytest.mark.gpu
@pytest.mark.parametrize("kind", SECTIONS)
def test_with_a_generator_the_device_changes_nothing(kind: str) -> None:
    with full_float32():  # as training has it
        torch.testing.assert_close(derive(kind, IMAGES.cuda()).cpu(), derive(kind), atol=1e-5, rtol=0)


def test_noise_has_its_standard_deviation_and_stays_in_range() -> None:
    grey = torch.zeros(50, 3, 16, 16)
    assert derive("noise", grey, sigma=0.2).std().item() == pytest.approx(0.2, rel=0.02)
    assert derive("noise", sigma=2.0).abs().max() <= 1


def test_grey_is_luma() -> None:
    colours = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, 1.0]]).view(3, 3, 1, 1)
    grey = derive("grey", colours.expand(-1, -1, 16, 16))
    assert grey[:, 0, 0, 0].tolist() == pytest.approx([2 * 0.299 - 1, 2 * 0.587 - 1, 1])


def test_grey_images_stay_grey() -> None:
    spec = DataSpec(fields={"image": ImageField(channels=1, size=16)}, derived={"new": {"kind": "grey"}})
    images = IMAGES[:, :1]
    assert torch.equal(with_derived(Rows({"image": images}), spec)["new"], images)


def test_downscaling_keeps_the_mean_and_removes_detail() -> None:
    checks = (torch.arange(16)[:, None] + torch.arange(16)).remainder(2).float().expand(1, 3, 16, 16)
    small = derive("downscaled", checks, factor=4)
    assert small.mean().item() == pytest.approx(0.5, abs=0.01)
    assert small.std() < 0.05


def test_a_hole_is_square_grey_and_whole_inside() -> None:
    holes = derive("masked", torch.ones(50, 3, 16, 16)) == 0
    assert (holes.sum(dim=(2, 3)) == 16).all()
    assert (holes.any(2).sum(-1) == 4).all()
    assert (holes.any(3).sum(-1) == 4).all()
    assert holes.any(0).any(1).all(), "the holes are in all columns"
    assert holes.any(0).any(2).all(), "the holes are in all rows"


def test_a_hole_may_be_in_the_centre() -> None:
    holes = derive("masked", torch.ones(2, 3, 16, 16), side=0.5, place="centre") == 0
    assert holes[:, :, 4:12, 4:12].all()
    assert holes.sum() == 2 * 3 * 64


@pytest.mark.parametrize(
    "settings",
    [
        *({"kind": "noise", "sigma": [0.5, 0.1]}, {"kind": "blur", "sigma": 0}, {"kind": "blur", "sigma": [0, 1]}),
        *({"kind": "jpeg", "quality": 101}, {"kind": "jpeg", "quality": [50, 101]}),
        {"kind": "edges", "low": 50, "high": 40},
    ],
)
def test_settings_outside_of_their_range_are_errors(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        DataSpec(fields={"image": FIELD}, derived={"new": settings}).schema()


def test_noise_of_a_range_differs_from_image_to_image() -> None:
    deviations = derive("noise", torch.zeros(50, 3, 16, 16), sigma=[0.05, 0.2]).std(dim=(1, 2, 3))
    assert 0.04 < deviations.min() < 0.08
    assert 0.16 < deviations.max() < 0.22


def photo(size: int) -> Image.Image:
    """The middle of a photo, as large as asked for."""
    return Image.fromarray(load_sample_images().images[1]).resize((size, size), Image.Resampling.LANCZOS)


def modelled(picture: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(picture)).float()
    return (pixels[None, None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)[None]) / 127.5 - 1


def test_edges_are_thin_closed_lines_around_a_shape() -> None:
    picture = Image.new("RGB", (16, 16))
    picture.paste((200, 200, 200), (4, 4, 12, 12))
    lines = derive("edges", modelled(picture))[0, 0] > 0
    assert lines.any(0)[3:13].sum() >= 8
    assert not lines[6:10, 6:10].any()
    assert not lines[:2].any()
    assert lines[7].sum() == lines[:, 7].sum() == 2, "one pixel on each side"


def test_edges_begin_at_high_and_are_followed_down_to_low() -> None:
    step = torch.full((1, 1, 16, 16), -1.0)
    step[..., 8:] += 2 * 30 / 255
    assert (derivation("edges", low=10, high=29).derive(step) > 0).any()
    assert not (derivation("edges", low=10, high=31).derive(step) > 0).any()
    step[:, :, :4, 8:] += 2 * 30 / 255  # a stronger step above
    assert (derivation("edges", low=10, high=31).derive(step) > 0)[0, 0].any(dim=1).all()


@pytest.mark.parametrize("quality", [5, 30, 75, 95])
@pytest.mark.parametrize("size", [64, 53])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_is_that_of_libjpeg_but_for_a_grey_level(quality: int, size: int, mode: str) -> None:
    picture, file = photo(size).convert(mode), io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    truth = modelled(Image.open(file))
    error = (derivation("jpeg", quality=quality).derive(modelled(picture)) - truth).abs().mean() * 127.5
    damage = (modelled(picture) - truth).abs().mean() * 127.5
    assert error < 1.1
    assert error < damage / 3


def test_blur_is_a_gaussian_that_keeps_the_mean() -> None:
    point = torch.zeros(1, 1, 33, 33)
    point[..., 16, 16] = 1
    blurred = derivation("blur", sigma=2.0).derive(point)[0, 0]
    assert blurred.sum().item() == pytest.approx(1, abs=1e-5)
    away = torch.arange(33) - 16.0
    assert (blurred.sum(0) * away**2).sum().sqrt().item() == pytest.approx(2, rel=0.03)
    assert torch.allclose(blurred, blurred.T, atol=1e-7)
    flat = torch.full((1, 3, 16, 16), 0.3)
    torch.testing.assert_close(derivation("blur", sigma=5.0).derive(flat), flat)
