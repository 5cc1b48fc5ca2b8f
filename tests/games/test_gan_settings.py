"""Networks that a game cannot play with are refused when it is built, not by the first step."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_training import SPEC, shrunk

from ganops.errors import SettingsError
from ganops.games.build import build_game


@pytest.mark.parametrize(
    ("recipe", "part", "changes", "code"),
    [
        ("bigan", "discriminator", {"latent_dim": 17}, "latent-dim"),
        ("bigan", "generator", {"labels": "one-hot"}, "labels-not-given"),
        ("ali", "discriminator", {"latent_dim": 17}, "latent-dim"),
        ("infogan", "discriminator", {"pack": 2}, "packed-features"),
        ("acgan", "discriminator", {"pack": 2}, "packed-features"),
    ],
)
def test_refused(recipe: str, part: str, changes: dict[str, Any], code: str) -> None:
    networks = shrunk(recipe).networks
    changed = shrunk(recipe, networks=networks | {part: networks[part] | changes})
    with pytest.raises(SettingsError) as caught:
        build_game(changed, SPEC)
    assert caught.value.code == code
