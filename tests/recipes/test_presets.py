"""The presets of papers: they load, name their differences, and have the weights that the authors' networks have.

All on the meta device: the largest has 158 million weights. Where a total is printed or asserted by somebody's code it
stands here as a number with its source; else it is computed layer by layer from the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from playing import spec_of

from ganops.errors import SettingsError
from ganops.games.build import outline_game, recipe_spec
from ganops.recipe import Recipe, find_recipe, load_recipe

FOLDER = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
PRESETS = sorted(path.stem for path in (FOLDER / "paper").glob("*.yaml"))
IMAGENET, CIFAR10 = 1000, 10


def weights(name: str) -> tuple[int, int]:
    """Numbers of weights of generator and discriminator."""
    recipe = load_recipe(FOLDER / "paper" / f"{name}.yaml")
    return weights_of(recipe, (CIFAR10 if "cifar" in name else IMAGENET) if "labels" in recipe.needs else 0)


def weights_of(recipe: Recipe, classes: int) -> tuple[int, int]:
    game = outline_game(recipe, recipe_spec(recipe, spec_of(3, 32, tuple(map(str, range(classes))))))
    counts = {part: sum(p.numel() for p in network.parameters()) for part, network in game.named_children()}
    return counts["generator"], counts["discriminator"]


def conv(before: int, after: int, size: int, bias: bool = True) -> int:
    return before * after * size**2 + (after if bias else 0)


def resnet_generator(widths: Sequence[int], latent: int, norm: int) -> int:
    """SNGAN's: norm: numbers per channel of a batch norm, 2, or a gain and a bias for each class."""
    total = latent * 16 * widths[0] + 16 * widths[0]
    for before, after in pairwise(widths):
        total += conv(before, after, 3) + conv(after, after, 3) + conv(before, after, 1) + norm * (before + after)
    return total + 2 * widths[-1] + conv(widths[-1], 3, 3)


def resnet_discriminator(widths: Sequence[int], classes: int, *, wide: bool) -> int:
    """SNGAN's, widths from the image on; the last block does not halve. wide: hidden as output, not input."""
    total = conv(3, widths[0], 3) + conv(widths[0], widths[0], 3) + conv(3, widths[0], 1)
    for before, after in pairwise(widths[:-1]):
        hidden = after if wide else before
        total += conv(before, hidden, 3) + conv(hidden, after, 3) + conv(before, after, 1)
    return total + 2 * conv(widths[-1], widths[-1], 3) + widths[-1] + 1 + classes * widths[-1]


def attention(channels: int) -> int:
    """Queries and keys of an eighth, values of half of the channels, back from these, and the share."""
    return 2 * channels * channels // 8 + 2 * channels * channels // 2 + 1


WIDE = (1024, 1024, 512, 256, 128, 64)
NARROW_FIRST = WIDE[::-1]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_cites_its_source_and_names_what_differs(name: str) -> None:
    lines = (FOLDER / "paper" / f"{name}.yaml").read_text().splitlines()
    assert any(line.startswith("# source: ") for line in lines)
    assert any(line.startswith("# differs: ") for line in lines)
    assert all(len(line) <= 120 for line in lines)
    recipe = load_recipe(FOLDER / "paper" / f"{name}.yaml")
    assert "arXiv:" in recipe.paper
    assert recipe.image_size is not None


def test_presets_are_found_by_name_like_recipes() -> None:
    for name in ("dcgan-64", "paper/dcgan-64"):
        assert find_recipe(name, FOLDER) == FOLDER / "paper" / "dcgan-64.yaml"
    for name in ("dcgan-65", "paper/dcgan-65", "paper/dcgan"):
        with pytest.raises(SettingsError) as caught:
            find_recipe(name, FOLDER)
        assert (caught.value.code, caught.value.found) == ("unknown-recipe", name)
        assert "'dcgan-64'" in caught.value.action


def test_a_name_stands_for_one_file(tmp_path: Path) -> None:
    (tmp_path / "paper").mkdir()
    for file in (tmp_path / "a.yaml", tmp_path / "paper" / "a.yaml"):
        file.touch()
    with pytest.raises(SettingsError) as caught:
        find_recipe("a", tmp_path)
    assert caught.value.code == "ambiguous-recipe"
    assert not set(PRESETS) & {path.stem for path in FOLDER.glob("*.yaml")}


def test_dcgan_at_64_pixels() -> None:
    """Figure 1 of the paper and dcgan_code's lsun/train_uncond_dcgan.py: no biases there but the batch norms'.

    Here the last layers have one, and the discriminator's first.
    """
    widths = (1024, 512, 256, 128)
    between = sum(16 * a * b for a, b in pairwise(widths))
    generator = 100 * 1024 * 16 + between + 16 * 128 * 3 + 2 * sum(widths)
    discriminator = 16 * 3 * 128 + between + 1024 * 16 + 2 * sum(widths[:3])
    assert weights("dcgan-64") == (generator + 3, discriminator + 128 + 1)


def test_sngan_for_cifar10() -> None:
    """gen_models/resnet_32.py (ch 256) and dis_models/snresnet_32.py (ch 128) of sngan_projection."""
    block = 2 * conv(128, 128, 3)
    discriminator = conv(3, 128, 3) + conv(128, 128, 3) + conv(3, 128, 1) + 3 * block + conv(128, 128, 1) + 129
    assert weights("sngan-cifar") == (resnet_generator([256] * 4, 128, norm=2), discriminator)


def test_sngan_at_128_pixels() -> None:
    """torch-mimicry's nets/sngan/sngan_128.py (ngf 1024, ndf 1024, nz 128)."""
    expected = resnet_generator(WIDE, 128, norm=2), resnet_discriminator(NARROW_FIRST, 0, wide=False)
    assert weights("sngan-128") == expected


def test_projection_cgan_for_imagenet() -> None:
    """gen_models/resnet.py and dis_models/snresnet_128.py of sngan_projection (ch 64, 1000 classes)."""
    generator = resnet_generator(WIDE, 128, norm=2 * IMAGENET)
    assert weights("projection-cgan-128") == (generator, resnet_discriminator(NARROW_FIRST, IMAGENET, wide=False))


def test_sagan_for_imagenet() -> None:
    """models/resnet.py of PyTorch-StudioGAN with configs/ImageNet/SAGAN-256.yaml; its attention stands at 64 pixels."""
    generator = resnet_generator(WIDE, 128, norm=2 * IMAGENET) + attention(128)
    discriminator = resnet_discriminator(NARROW_FIRST, IMAGENET, wide=True) + attention(64)
    assert weights("sagan-128") == (generator, discriminator)


def test_biggan_for_imagenet() -> None:
    """google/compare_gan: its resnet_biggan_test.py asserts these totals, "the original BigGAN architecture"."""
    assert weights("biggan-128") == (70_433_988, 87_982_370)


def test_biggan_at_256_pixels_by_settings_alone() -> None:
    """BigGAN-PyTorch's G_arch and D_arch of 256 pixels (ch 96, 7 pieces of the latent of 20): 16, 16, 8, 8, 4, 2, 1."""
    widths, condition = [96 * factor for factor in (16, 16, 8, 8, 4, 2, 1)], 128 + 20
    generator = IMAGENET * 128 + 20 * 16 * widths[0] + 16 * widths[0] + attention(4 * 96)
    for before, after in pairwise(widths):
        generator += conv(before, after, 3) + conv(after, after, 3) + conv(before, after, 1)
        generator += 2 * condition * (before + after)
    generator += 2 * widths[-1] + conv(widths[-1], 3, 3)
    discriminator = resnet_discriminator(widths[::-1], IMAGENET, wide=True) + attention(2 * 96)
    recipe = load_recipe(FOLDER / "paper" / "biggan-128.yaml")
    networks = {name: section | {"widths": widths} for name, section in recipe.networks.items()}
    networks["generator"] |= {"latent_dim": 140}
    changed = recipe.model_copy(update={"image_size": 256, "networks": networks})
    assert weights_of(changed, IMAGENET) == (generator, discriminator) == (82_235_844, 99_225_890)


def stylegan2_generator(widths: Sequence[int], mapping: int) -> int:
    """NVlabs' training/networks.py, widths from 4 pixels on: each layer has an affine map from a style of 512."""

    def layer(before: int, after: int) -> int:
        return before * after * 9 + after + 1 + 513 * before  # weight, bias, strength of the noise, affine

    total = mapping * (512 * 512 + 512) + widths[0] * 16 + layer(widths[0], widths[0])
    total += sum(layer(before, after) + layer(after, after) for before, after in pairwise(widths))
    return total + sum(3 * width + 3 + 513 * width for width in widths)


def stylegan2_discriminator(widths: Sequence[int], *, shortcuts: bool = True) -> int:
    """The same file's, widths from the image on."""
    total = conv(3, widths[0], 1)
    for before, after in pairwise(widths):
        total += conv(before, before, 3) + conv(before, after, 3) + (before * after if shortcuts else 0)
    return total + conv(513, 512, 3) + 512 * 16 * 512 + 512 + 512 + 1


@pytest.mark.parametrize(("size", "largest"), [(256, 64), (512, 64), (1024, 32)])
def test_stylegan2_ada(size: int, largest: int) -> None:
    """channel_base 16384 (256 pixels) or 32768, at most 512 channels, 8 mapping layers: train.py's paper256 .. 1024."""
    widths = [min(512, largest * size // of) for of in (2**power for power in range(2, size.bit_length()))]
    expected = stylegan2_generator(widths, mapping=8), stylegan2_discriminator(widths[::-1])
    assert weights(f"stylegan2-ada-{size}") == expected
    if size == 1024:
        assert expected == (28_794_124 + 6 * (512 * 512 + 512), 29_012_513), "as printed, there with 2 mapping layers"


def test_stylegan2_ada_for_cifar10() -> None:
    """train.py's `cifar`: no residual shortcuts in the discriminator there, three of 512 x 512 weights here."""
    generator, discriminator = stylegan2_generator([512] * 4, mapping=2), stylegan2_discriminator([512] * 4)
    assert weights("stylegan2-ada-cifar") == (generator, discriminator)
    assert discriminator == stylegan2_discriminator([512] * 4, shortcuts=False) + 3 * 512 * 512


def r3gan(widths: Sequence[int], classes: int = 0) -> tuple[int, int]:
    """R3GAN/Networks.py: stages of 2 blocks, groups of 16 channels, expansion 2, noise 64, embedding 64."""
    blocks = sum(2 * (2 * 2 * width**2 + 2 * width * 16 * 9 + 2 * 2 * width) for width in widths)
    between = sum(before * after for before, after in pairwise(widths) if before != after)
    inputs = 64 + (64 if classes else 0)
    generator = 16 * widths[0] + inputs * widths[0] + 64 * classes + blocks + between + 3 * widths[-1]
    head = widths[0] * (widths[0] + classes) if classes else widths[0]
    return generator, 3 * widths[-1] + blocks + between + 16 * widths[0] + head


@pytest.mark.parametrize(
    ("name", "widths"), [("r3gan-ffhq64", [768] * 4 + [384]), ("r3gan-ffhq256", [768] * 4 + [384, 192, 96])]
)
def test_r3gan_for_faces(name: str, widths: list[int]) -> None:
    """The bias of the logit is ours: the relativistic loss does not see it."""
    generator, discriminator = r3gan(widths)
    assert weights(name) == (generator, discriminator + 1)


def test_r3gan_for_cifar10_by_class() -> None:
    """Theirs projects the class on 768 linear functions of the features; ours on the features, beside one logit."""
    generator, discriminator = r3gan([768] * 4, CIFAR10)
    assert weights("r3gan-cifar") == (generator, discriminator - 768 * 768 + 768 + 1)


def fastgan_discriminator(size: int) -> int:
    """FastGAN-pytorch's models.py (ndf 64): two sizes, five halvings with three gates, heads and three decoders."""
    n = {8: 1024, 16: 512, 32: 256, 64: 128, 128: 64, 256: 32, 512: 16, 1024: 8}
    two_halvings = 3 * n[1024] * 16 + n[1024] * n[512] * 16 + 2 * n[512]
    total = {256: 3 * n[512] * 9, 512: 3 * n[512] * 16, 1024: two_halvings}[size]
    for before, after in pairwise([n[512], n[256], n[128], n[64], n[32], n[16]]):
        total += before * after * 17 + after * after * 9 + 3 * 2 * after
    total += n[16] * n[8] + 2 * n[8] + 16 * n[8]
    total += sum(16 * n[large] * n[small] + n[small] ** 2 for large, small in ((512, 64), (256, 32), (128, 16)))
    total += 3 * n[256] * 16 + 16 * n[32]
    total += sum(16 * before * after + 2 * after for before, after in pairwise([n[256], n[128], n[64], n[32]]))
    for start in (n[16], n[32], n[32]):
        widths = (start, 128, 64, 64, 32)
        total += sum(9 * before * 2 * after + 4 * after for before, after in pairwise(widths)) + 32 * 3 * 9
    return total


@pytest.mark.parametrize(("size", "more"), [(256, 0), (1024, 128 * 8 * 16 + 8 * 8)])
def test_fastgan(size: int, more: int) -> None:
    """FastGAN-pytorch's models.py (ngf 64, nz 256), with its second image of 128 pixels.

    More here: three biases of the image, a strength of the noise in the stages of one convolution, and a gate at 1024
    pixels.
    """
    widths = [1024, 512, 256, 128, 128, 64, 32, 16, 8][: {256: 7, 1024: 9}[size]]
    twice = [1, 3, 5, 7]
    total = 256 * 2 * widths[0] * 16 + 2 * 2 * widths[0] + 3 * widths[-1] * 9 + 3 * widths[5]
    for level, (before, after) in enumerate(pairwise(widths), start=1):
        total += before * 2 * after * 9 + 4 * after
        if level in twice:
            total += after * 2 * after * 9 + 4 * after + 2
    gates = {0: 4, 1: 5, 2: 6, 3: 7}
    total += sum(
        widths[small] * widths[large] * 16 + widths[large] ** 2 for small, large in gates.items() if large < len(widths)
    )
    singles = sum(level not in twice for level in range(1, len(widths)))
    assert weights(f"fastgan-{size}") == (total + 3 + singles + more, fastgan_discriminator(size))
