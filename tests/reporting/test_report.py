"""The report is one page that needs nothing but itself, shows everything there is, and cannot be broken by names."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from example_results import digits, manifest, write_recipe_results
from page import Page
from PIL import Image

from ganops.errors import EvaluationError, SettingsError
from ganops.reporting.leaderboard import read_row
from ganops.reporting.report import render_report
from ganops.reporting.winner import choose_winner

EVENT = {"step": 1200, "kind": "collapse", "detail": "only <b>fours</b>"}


def render(root: Path, *recipes: str) -> str:
    rows = [read_row(root / "results", recipe) for recipe in recipes]
    return render_report(rows, choose_winner(rows, "fid"), root / "results", manifest(), root / "pipeline" / "recipes")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_recipe_results(
        folder, "dcgan", {"fid": 12.5, "fid_error": 0.25, "novel_score": 0.625}, images=digits()[:16], frames=3
    )
    write_recipe_results(folder, "mlp", {"fid": 31.25}, health_events=[EVENT])
    write_recipe_results(folder, "wgan-gp", None, sick=True, health_events=[EVENT])
    (folder / "results" / "evaluate" / "dcgan" / "per_class.csv").write_text("class,fid\nseven,8.123456\n")
    return folder


@pytest.fixture(scope="module")
def html(root: Path) -> str:
    return render(root, "mlp", "dcgan", "wgan-gp")


def test_it_needs_nothing_from_elsewhere(html: str) -> None:
    Page(html).assert_self_contained()


def test_every_link_leads_to_a_section(html: str) -> None:
    elements = Page(html).elements
    targets = [attributes["id"] for _, attributes in elements if "id" in attributes]
    links = [(attributes["href"] or "")[1:] for tag, attributes in elements if tag == "a"]
    assert len(links) > 8
    assert set(links) <= set(targets)
    assert len(targets) == len(set(targets))


def test_the_pictures_inside_are_whole(root: Path, html: str) -> None:
    images = Page(html).images()
    assert (
        len(images) == 5
    )  # samples at a glance; samples, training, neighbours and curves of the one recipe that has them
    for attributes in images:
        assert attributes["alt"]
        with Image.open(BytesIO(b64decode((attributes["src"] or "").partition("base64,")[2]))) as image:
            image.load()
    samples = (root / "results" / "evaluate" / "dcgan" / "samples.png").read_bytes()
    assert b64decode((images[0]["src"] or "").partition("base64,")[2]) == samples


def test_it_tells_winner_scores_health_protocol_data_and_lineage(html: str) -> None:
    text = " ".join(Page(html).text.split())
    for expected in (
        "dcgan wins",
        "18.75 (60%) below mlp",
        "wgan-gp could not win, as it fell sick in training",
        "12.50 ± 0.25",
        "novel score",
        "0.6250",
        "Per class",
        "8.123",
        "step 1,200: collapse",
        "1,500 images",
        "truncated",
        "ab" * 32,
        "cd" * 32,
        "run-of-wgan-gp",
        "latent_dim: 100",
        "parameters of generator",
    ):
        assert expected in text, expected


def test_each_recipe_has_a_section_best_first(html: str) -> None:
    sections = [attributes["id"] for tag, attributes in Page(html).elements if tag == "section"]
    assert [name for name in sections if name and name.startswith("recipe-")] == [
        "recipe-dcgan",
        "recipe-mlp",
        "recipe-wgan-gp",
    ]


def test_text_from_files_cannot_become_markup(html: str) -> None:
    page = Page(html)
    assert "only <b>fours</b>" in page.text
    assert "<b>half.jpg</b>" in page.text
    assert "a generator for <tests> & reports" in page.text
    assert "tests" not in {tag for tag, _ in page.elements}


def test_the_same_results_give_the_same_page(root: Path, html: str) -> None:
    assert render(root, "mlp", "dcgan", "wgan-gp") == html


def test_a_single_recipe_with_no_pictures_and_data_without_classes(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "mlp", {"fid": 31.25})
    row = read_row(tmp_path / "results", "mlp")
    plain = manifest().model_copy(
        update={"spec": manifest().spec.model_copy(update={"classes": ()}), "class_counts": {}, "rejected": ()}
    )
    page = Page(
        render_report(
            [row], choose_winner([row], "fid"), tmp_path / "results", plain, tmp_path / "pipeline" / "recipes"
        )
    )
    assert "mlp is the only recipe" in page.text
    assert "classes" not in page.text
    assert page.images() == []


def test_missing_or_damaged_inputs_are_named(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "mlp", {"fid": 31.25})
    (tmp_path / "results" / "evaluate" / "mlp" / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match=r"bad\.csv is no table"):
        render(tmp_path, "mlp")
    (tmp_path / "results" / "runs" / "mlp.json").unlink()
    with pytest.raises(EvaluationError, match=r"mlp\.json is missing"):
        render(tmp_path, "mlp")
    (tmp_path / "pipeline" / "recipes" / "mlp.yaml").unlink()
    with pytest.raises(SettingsError, match="no recipe 'mlp'"):
        render(tmp_path, "mlp")
