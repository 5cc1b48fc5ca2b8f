"""What games show of themselves: what a row or a column has in common is what the picture says, and the rest turns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_training import SPEC, digits, shrunk
from torch import Tensor

from ganops.data.packed import PackedImages
from ganops.games.bidirectional import Bidirectional
from ganops.games.build import build_game
from ganops.games.game import Batch, Figure, Game, Request
from ganops.games.infogan import InfoGan
from ganops.games.sampling import draw_latents, to_float
from ganops.games.standard_gan import StandardGAN
from ganops.networks.network import StyleGenerator
from ganops.reporting.figures import draw_figures
from ganops.reporting.grids import image_grid

CLOSE = {"rtol": 0.0, "atol": 1e-5}  # float32, the same sums in batches of another size


def game_of(name: str) -> Game:
    """The shrunk recipe's game with weights so large that its images differ, as they do after training."""
    torch.manual_seed(0)
    game = build_game(shrunk(name), SPEC)
    if not name.startswith("stylegan2"):  # which begins with weights of variance 1
        for parameter in game.parameters():
            torch.nn.init.normal_(parameter, 0.0, 0.3)
    return game.eval()


@torch.no_grad()
def shown(game: Game, columns: int = 6, real: int = 12) -> tuple[dict[str, Figure], Tensor, Tensor]:
    """What the game shows, its latents and the real images it was given."""
    latents, images = draw_latents(columns, game.latent_dim, seed=3), to_float(digits(real).images)
    return game.figures(latents, Batch(images)), latents, images


def rows(exhibit: Figure) -> Tensor:
    """(rows, columns, C, H, W)."""
    return exhibit.images.unflatten(0, (-1, exhibit.columns))


@pytest.mark.parametrize("name", ["cgan", "acgan", "projection-cgan", "biggan"])
def test_a_row_for_each_class_and_one_latent_down_a_column(name: str) -> None:
    game = game_of(name)
    found, latents, _ = shown(game)
    grid = rows(found["classes"])
    assert grid.shape == (10, 6, 1, 8, 8)
    with torch.no_grad():
        again = game.generate(Request(latents[2:3].repeat(10, 1), torch.arange(10)))
    torch.testing.assert_close(grid[:, 2], again, **CLOSE)
    assert not torch.allclose(grid[0], grid[1])


def test_categories_turn_down_a_column_and_noise_along_a_row() -> None:
    game = game_of("infogan")
    assert isinstance(game, InfoGan)
    found, latents, _ = shown(game)
    grid, codes = rows(found["categories"]), game.encode(latents)
    noise, last = codes[:, :-12], codes[:, -2:]
    assert grid.shape == (10, 6, 1, 8, 8)
    for category in (0, 7):
        one_hot = torch.eye(10)[category].expand(6, -1)
        with torch.no_grad():
            again = game.generator(torch.cat((noise, one_hot, last), dim=1))
        torch.testing.assert_close(grid[category], again, **CLOSE)
    assert not torch.allclose(grid[0], grid[7])


def test_one_continuous_code_grows_along_a_row() -> None:
    game = game_of("infogan")
    assert isinstance(game, InfoGan)
    found, latents, _ = shown(game)
    grid, codes = rows(found["codes"]), game.encode(latents)
    assert grid.shape == (4 * 2, 6, 1, 8, 8)
    for code, place in ((0, -2), (1, -1)):
        swept = codes[3:4].repeat(6, 1)
        swept[:, place] = torch.tensor([-2.0, -1.2, -0.4, 0.4, 1.2, 2.0])
        with torch.no_grad():
            again = game.generator(swept)
        torch.testing.assert_close(grid[4 * code + 3], again, **CLOSE)
        assert not torch.allclose(again[0], again[-1])


@pytest.mark.parametrize("name", ["bigan", "ali"])
def test_real_images_above_their_reconstructions(name: str) -> None:
    game = game_of(name)
    assert isinstance(game, Bidirectional)
    found, _, real = shown(game, columns=5, real=12)  # the two images beyond whole rows are left out
    grid = rows(found["reconstructions"])
    assert grid.shape == (4, 5, 1, 8, 8)
    again = game.reconstruct(real)
    torch.testing.assert_close(grid[[0, 2]].flatten(0, 1), real[:10], **CLOSE)
    torch.testing.assert_close(grid[[1, 3]].flatten(0, 1), again[:10], **CLOSE)


def test_fewer_real_images_than_columns() -> None:
    found, _, _ = shown(game_of("bigan"), columns=5, real=3)
    assert rows(found["reconstructions"]).shape == (2, 3, 1, 8, 8)


@pytest.mark.parametrize("name", ["stylegan2", "stylegan2-ada"])
def test_coarse_styles_from_the_left_fine_ones_from_above(name: str) -> None:
    game = game_of(name)
    assert isinstance(game, StandardGAN)
    assert isinstance(game.generator, StyleGenerator)
    found, latents, _ = shown(game)
    grid = rows(found["mixing"])
    assert grid.shape == (4, 4, 1, 8, 8)
    assert (grid[0, 0] == 1).all()
    with torch.no_grad():
        pure = game.generate(Request(latents))
        styles = game.generator.styles(latents)
        cut = styles.shape[1] // 3
        mixed = game.generator.synthesize(torch.cat((styles[2:3, :cut], styles[4:5, cut:]), dim=1))
    torch.testing.assert_close(torch.cat((grid[1:, 0], grid[0, 1:])).clamp(-1, 1), pure, **CLOSE)
    torch.testing.assert_close(grid[3, 2], mixed[0], **CLOSE)
    assert not torch.allclose(grid[3, 2], grid[3, 0])
    assert not torch.allclose(grid[3, 2], grid[0, 2])


def test_drawn_of_seeded_latents_and_real_images() -> None:
    game, real = game_of("bigan"), digits(40)
    picture = draw_figures(game, real, seed=1, scale=1)["reconstructions"]
    assert np.array_equal(picture, draw_figures(game, real, seed=1, scale=1)["reconstructions"])
    upper = picture.crop((0, 0, picture.width, 2 + 10))
    assert np.array_equal(upper, image_grid(real.some(20, seed=1).images[:10], 10, scale=1))


def test_a_plain_game_and_points_show_nothing() -> None:
    assert draw_figures(game_of("dcgan"), digits(12), seed=0) == {}
    assert draw_figures(game_of("bigan"), PackedImages(torch.zeros(4, 2, 1, 1)), seed=0) == {}
