"""The model card: what a model is, how good it is, and what it is not for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PIL import Image
from small_model import SPEC, small_candidate, small_manifest, small_recipe, small_scores

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.spec import DataSpec
from ganops.games.saved import DESCRIPTION
from ganops.registry.card import card, escape, short_card, write_card
from ganops.reporting.contents import PictureEntry


def test_the_card_has_data_recipe_scores_protocol_limits_and_lineage(tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model", kid=0.25)
    event = {"step": 7, "kind": "collapse", "detail": "samples are alike | nearly", "action": "wait"}
    manifest = small_manifest(class_counts={"train": {"zero": 30, "one": 50}, "test": {"zero": 20, "one": 0}})
    candidate = dataclasses.replace(candidate, training={"steps": 9, "health_events": [event]}, manifest=manifest)
    text = card(candidate, {"git.commit": "c0ffee"})
    for words in (
        "# tiny, trained on digits",
        "80 rows for training, 20 for the test",
        "| zero | 30 | 20 |",
        "| one | 50 | 0 |",
        "| generator | mlp-generator | latent dim 4, widths 8 |",
        "| FID ↓ | 10.00 ± 0.10 |",
        "| KID ↓ | 0.2500 |",
        "| features | inception-v3 |",
        r"- step 7: collapse: samples are alike \| nearly; to do: wait",
        "| git.commit | c0ffee |",
        f"| lineage | {candidate.lineage()} |",
    ):
        assert words in text, words


def test_the_mean_over_seeds_is_kept_apart_from_the_models_own_scores(tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model", fid=9.0)
    mean = small_scores(fid=14.0, errors={"fid": 1.5})
    text = card(dataclasses.replace(candidate, mean=mean, seeds=("tiny", "tiny-8")), {})
    assert text.index("| FID ↓ | 9.00 ± 0.10 |") < text.index("(tiny, tiny-8)") < text.index("| FID ↓ | 14.0 ± 1.5 |")


def test_titles_name_the_features(tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model")
    candidate = dataclasses.replace(candidate, scores=small_scores(fid_classifier=3.0))
    assert "FID (classifier)" in card(candidate, {})
    assert "FID (classifier) 3" in short_card(candidate)


def test_a_model_that_enlarges_says_that_it_invents_detail_and_how_consistent_it_is(tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model")
    assert "invents detail" not in card(candidate, {})
    text = card(dataclasses.replace(candidate, scores=small_scores(consistency=33.25)), {})
    assert "invents detail" in text
    assert "to 33.25 dB" in text


@pytest.mark.parametrize(("kind", "words"), [("grey", "its colours are plausible"), ("masked", "puts into a hole")])
def test_a_model_that_restores_says_what_it_invents(kind: str, words: str, tmp_path: Path) -> None:
    candidate = small_candidate(tmp_path / "model")
    recipe = small_recipe(derived={"source": {"kind": kind, "of": "image"}})
    description = candidate.description.model_copy(update={"recipe": recipe})
    (tmp_path / "model" / DESCRIPTION).write_text(description.model_dump_json())
    assert words in card(dataclasses.replace(candidate), {})  # a new one, which reads the new description


@pytest.mark.parametrize(
    "fields",
    [
        {"image": SPEC.fields["image"]},
        {"image": SPEC.fields["image"], "label": CategoryField(classes=("only",))},
        {"vector": VectorField(size=2)},
        {"image": SPEC.fields["image"], "source": ImageField(channels=3, size=16)},
        {"image": SPEC.fields["image"], "label": CategoryField(classes=tuple(f"class {i}" for i in range(1000)))},
    ],
)
def test_any_data_have_a_card(tmp_path: Path, fields: dict[str, Field]) -> None:
    counts = {"train": dict.fromkeys(DataSpec(fields=fields).classes, 1)}
    manifest = small_manifest(spec=DataSpec(fields=fields), class_counts=counts)
    candidate = dataclasses.replace(small_candidate(tmp_path / "model"), manifest=manifest)
    text = card(candidate, {})
    assert all(f"| {name} | {field.kind} |" in text for name, field in fields.items())
    assert len(short_card(candidate)) < 2000
    assert len(text) < 10_000


def test_names_from_the_data_are_escaped(tmp_path: Path) -> None:
    evil = "[x](http://evil) <img src=x> | `a` **b**\n# c"
    spec = DataSpec(fields={"image": SPEC.fields["image"], "label": CategoryField(classes=(evil, "b"))})
    manifest = small_manifest(spec=spec, source=evil, class_counts={"train": {evil: 1, "b": 1}})
    text = card(dataclasses.replace(small_candidate(tmp_path / "model"), manifest=manifest), {"tag": evil})
    assert "<img" not in text
    assert "[x](" not in text
    assert "\n# c" not in text
    assert escape("a_b|c\nd") == r"a\_b\|c d"


def test_pictures_are_copied_next_to_the_card(tmp_path: Path) -> None:
    for name in ("samples.png", "training.webp"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    pictures = (
        PictureEntry(file="samples.png", title="Samples", caption="Sixteen of them."),
        PictureEntry(file="training.webp", title="Training"),
    )
    candidate = dataclasses.replace(small_candidate(tmp_path / "model"), pictures=pictures, folder_of_pictures=tmp_path)
    path = write_card(tmp_path / "card", candidate, {})
    assert "![Samples](<samples.png>)\n\n**Samples**\n\nSixteen of them." in path.read_text()
    assert sorted(file.name for file in path.parent.iterdir()) == ["README.md", "samples.png"]
