"""Derived columns: what each kind makes of an image, and what its numbers depend on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, with_derived
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec

FIELD = ImageField(channels=3, size=16)
IMAGES = torch.rand(50, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
SECTIONS: dict[str, dict[str, Any]] = {
    "noise": {"sigma": 0.5},
    "grey": {},
    "downscaled": {"factor": 4},
    "masked": {"side": 0.25},
}


def derive(kind: str, images: Tensor = IMAGES, seed: int | None = 1, **settings: Any) -> Tensor:
    spec = DataSpec(fields={"image": FIELD}, derived={"new": {"kind": kind, **(settings or SECTIONS[kind])}})
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    rows = with_derived(Rows({"image": images}), spec, generator)
    assert rows["image"] is images
    assert tuple(rows["new"].shape[1:]) == spec.field("new", ImageField).shape
    return rows["new"]


def test_these_are_all_kinds() -> None:
    assert DERIVATIONS.names() == sorted(SECTIONS)


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_generator_decides_everything(kind: str) -> None:
    before = torch.get_rng_state()
    assert torch.equal(derive(kind), derive(kind))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(derive(kind), derive(kind, seed=2)) == (kind in ("grey", "downscaled"))


@pytest.mark.parametrize("kind", SECTIONS)
def test_without_a_generator_the_devices_own_is_used(kind: str) -> None:
    torch.manual_seed(3)
    once, again = derive(kind, seed=None), derive(kind, seed=None)
    assert torch.equal(once, again) == (kind in ("grey", "downscaled"))
    torch.manual_seed(3)
    assert torch.equal(derive(kind, seed=None), once)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", SECTIONS)
def test_with_a_generator_the_device_changes_nothing(kind: str) -> None:
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
