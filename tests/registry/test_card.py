"""The model card says what a model is, how good, and what it is not for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from PIL import Image
from small_model import small_candidate

from ganops.registry.card import card, short_card, write_card


def test_the_card_names_data_recipe_scores_protocol_limits_and_lineage(tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model", kid=float("nan"))
    event = {"step": 7, "kind": "collapse", "detail": "samples are alike | nearly"}
    candidate = dataclasses.replace(candidate, training={"steps": 9, "sick": True, "health_events": [event]})
    text = card(candidate, {"git.commit": "c0ffee"})
    for words in (
        "# tiny, trained on digits",
        "80 train, 20 test images, classes: zero, one",
        "The licence of the data is not recorded",
        "| generator | mlp-generator | latent_dim 4, widths [8] |",
        "FID",
        "10.00 ± 0.10",
        "| extractor | classifier |",
        "- step 7: collapse; samples are alike | nearly",
        "Intended use and limits",
        "| git.commit | c0ffee |",
        f"| lineage | {candidate.lineage()} |",
    ):
        assert words in text, words
    assert "nan" not in text.lower(), "a score that is none is left out"


def test_the_short_card_fits_a_description(tmp_path: Path) -> None:
    text = short_card(small_candidate(tmp_path / "model"))
    assert "grey images of 8 x 8 pixels in the manner of digits" in text
    assert "extractor classifier, 100 images" in text
    assert len(text) < 500


def test_pictures_lie_beside_the_card_that_shows_them(tmp_path: Path) -> None:
    picture = tmp_path / "samples.png"
    Image.new("L", (4, 4)).save(picture)
    candidate = dataclasses.replace(small_candidate(tmp_path / "model"), pictures=(picture,))
    path = write_card(tmp_path / "card", candidate, {})
    assert "![samples](samples.png)" in path.read_text()
    assert (path.parent / "samples.png").read_bytes() == picture.read_bytes()
