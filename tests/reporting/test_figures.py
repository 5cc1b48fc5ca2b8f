"""Figures of games: a row or a column has in common what its caption says, and the rest varies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_training import SPEC, digits, shrunk
from torch import Tensor

from ganops.data.fields.vector import VectorField
from ganops.data.packed import subsample
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.bidirectional import Bidirectional
from ganops.games.build import build_game
from ganops.games.game import Figure, Game
from ganops.games.infogan import InfoGan
from ganops.games.sampling import HeldOut, draw_latents
from ganops.games.standard_gan import StandardGAN
from ganops.networks.network import StyleGenerator
from ganops.reporting.figures import draw_figures

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
def shown(game: Game, columns: int = 6, real: int = 12) -> tuple[dict[str, Figure], Rows, Tensor]:
    """The figures of a game, the latents and the modelled real images that they were made of."""
    latents = draw_latents(game.task.latents, columns, seed=3)
    assert latents is not None
    images = SPEC.fields["image"].to_model(digits(real)["image"])
    return game.figures(latents, Rows({"image": images})), latents, images


def rows(figure: Figure) -> Tensor:
    """(rows, columns, C, H, W)."""
    return figure.modelled.unflatten(0, (-1, figure.columns))


@pytest.mark.parametrize("name", ["cgan", "acgan", "projection-cgan", "biggan"])
def test_a_row_for_each_class_and_one_latent_down_a_column(name: str) -> None:
    game = game_of(name)
    found, latents, _ = shown(game)
    grid = rows(found["classes"])
    assert grid.shape == (10, 6, 1, 8, 8)
    with torch.no_grad():
        again = game.generate(Rows({"z": latents["z"][2:3].repeat(10, 1), "label": torch.arange(10)}))["image"]
    torch.testing.assert_close(grid[:, 2], again, **CLOSE)
    assert not torch.allclose(grid[0], grid[1])


def test_categories_turn_down_a_column_and_noise_along_a_row() -> None:
    game = game_of("infogan")
    assert isinstance(game, InfoGan)
    found, latents, _ = shown(game)
    grid, codes = rows(found["categories"]), game.encode(latents["z"])
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
    grid, codes = rows(found["codes"]), game.encode(latents["z"])
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
        pure = game.generate(latents)["image"]
        styles = game.generator.styles(latents["z"])
        cut = styles.shape[1] // 3
        mixed = game.generator.synthesize(torch.cat((styles[2:3, :cut], styles[4:5, cut:]), dim=1))
    torch.testing.assert_close(torch.cat((grid[1:, 0], grid[0, 1:])).clamp(-1, 1), pure, **CLOSE)
    torch.testing.assert_close(grid[3, 2], mixed[0], **CLOSE)
    assert not torch.allclose(grid[3, 2], grid[3, 0])
    assert not torch.allclose(grid[3, 2], grid[0, 2])


def test_drawn_from_seeded_latents_and_real_images() -> None:
    game, real = game_of("bigan"), HeldOut(digits(40), SPEC)
    picture = draw_figures(game, real, seed=1)["reconstructions"]
    assert np.array_equal(picture.image, draw_figures(game, real, seed=1)["reconstructions"].image)
    assert picture.title
    assert picture.caption
    first_row = SPEC.fields["image"].draw(subsample(real.rows, 20, seed=1)["image"][:10], 10)
    assert first_row is not None
    assert np.array_equal(picture.image.crop((0, 0, first_row.width, first_row.height)), first_row)


def test_a_plain_game_and_points_have_no_figures() -> None:
    assert draw_figures(game_of("dcgan"), HeldOut(digits(12), SPEC), seed=0) == {}
    points = DataSpec(fields={"vector": VectorField(size=2)})
    torch.manual_seed(0)
    game = build_game(shrunk("bigan"), points).eval()
    assert draw_figures(game, HeldOut(Rows({"vector": torch.zeros(4, 2)}), points), seed=0) == {}
