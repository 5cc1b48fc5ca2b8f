"""The report is one page that needs nothing but itself, shows everything there is, and cannot be broken by names."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from example_results import SHARED, digits, manifest, scores, write_recipe_results, write_reference
from page import Page
from PIL import Image

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.manifest import Manifest
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.metric_names import describe
from ganops.reporting.contents import CONTENTS, Contents, TableEntry
from ganops.reporting.leaderboard import read_references, read_row
from ganops.reporting.parts import read_tables
from ganops.reporting.report import render_report
from ganops.reporting.winner import choose_winner
from ganops.workspace import Workspace

EVENT = {"step": 1200, "kind": "collapse", "detail": "only <b>fours</b>"}


def render(root: Path, *recipes: str, data: Manifest | None = None) -> str:
    home = Workspace(root)
    rows = [*read_references(home, recipes), *(read_row(home, recipe) for recipe in recipes)]
    return render_report(rows, choose_winner(rows, describe("fid")), home, data or manifest())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    home = Workspace(folder)
    write_recipe_results(
        folder,
        "dcgan",
        scores(fid=(12.5, 0.25), novel_score=0.625),
        images=digits()[:16],
        frames=3,
        table="class,fid\nseven,8.123456\n",
    )
    write_recipe_results(folder, "mlp", scores(fid=31.25), health_events=[EVENT])
    write_recipe_results(folder, "wgan-gp", None, unhealthy=True, health_events=[EVENT])
    write_recipe_results(folder, "pix2pix", scores(psnr=17.5))
    write_reference(
        home.reference / "rows", "real-test", "real test images", scores(SHARED | {"samples": 297}, fid=1.5)
    )
    write_reference(home.evaluated("pix2pix") / "baselines", "identity", "<i>identity</i>", scores(psnr=9.0))
    return folder


@pytest.fixture(scope="module")
def html(root: Path) -> str:
    return render(root, "mlp", "dcgan", "wgan-gp", "pix2pix")


def test_it_needs_nothing_from_elsewhere(html: str) -> None:
    Page(html).assert_self_contained()


def test_every_link_leads_to_a_section(html: str) -> None:
    elements = Page(html).elements
    targets = [attributes["id"] for _, attributes in elements if "id" in attributes]
    links = [(attributes["href"] or "")[1:] for tag, attributes in elements if tag == "a"]
    assert len(links) > 8
    assert set(links) <= set(targets)
    assert len(targets) == len(set(targets))


def test_the_pictures_of_contents_json_are_shown_whole_and_in_order(root: Path, html: str) -> None:
    images = Page(html).images()
    assert [attributes["alt"] for attributes in images] == [
        "Samples of dcgan",  # at a glance
        "Samples of dcgan",
        "Training of dcgan",
        "Curves of dcgan",
    ]
    for attributes in images:
        with Image.open(BytesIO(b64decode((attributes["src"] or "").partition("base64,")[2]))) as image:
            image.load()
    samples = (root / "results" / "evaluate" / "dcgan" / "samples.png").read_bytes()
    assert b64decode((images[0]["src"] or "").partition("base64,")[2]) == samples


def test_it_shows_winner_scores_health_protocol_data_and_lineage(html: str) -> None:
    text = " ".join(Page(html).text.split())
    for expected in (
        "dcgan wins",
        "18.75 (60%) below mlp",
        "wgan-gp could not win",
        "12.50 ± 0.25",
        "novel score",
        "0.6250",
        "17.50",
        "real test images reference",
        "By class",
        "8.123",
        "step 1,200: collapse",
        "grey images of 8 x 8 pixels",
        "1,500",
        "truncated",
        "5000",
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
        "recipe-pix2pix",
        "recipe-wgan-gp",
    ]


def test_references_and_baselines_are_set_apart(html: str) -> None:
    rows = [attributes.get("class") for tag, attributes in Page(html).elements if tag == "tr"]
    kinds = [kind for kind in rows if kind]
    assert sorted(kinds) == ["baseline", "recipe", "recipe", "recipe", "reference", "winner"]
    assert kinds[0] == "reference"


def test_text_from_files_cannot_become_markup(html: str) -> None:
    page = Page(html)
    assert "only <b>fours</b>" in page.text
    assert "<b>half.jpg</b>" in page.text
    assert "<i>identity</i>" in page.text
    assert "a generator for <tests> & reports" in page.text
    assert "tests" not in {tag for tag, _ in page.elements}


def test_the_same_results_give_the_same_page(root: Path, html: str) -> None:
    assert render(root, "mlp", "dcgan", "wgan-gp", "pix2pix") == html


DATA = {
    "no classes, no pictures": (DataSpec(fields={"image": ImageField(channels=3, size=64)}), {}),
    "one class": (
        DataSpec(fields={"image": ImageField(channels=1, size=8), "label": CategoryField(classes=("only",))}),
        {"train": {"only": 6}, "test": {"only": 2}},
    ),
    "a thousand unbalanced classes": (
        DataSpec(
            fields={
                "image": ImageField(channels=1, size=8),
                "label": CategoryField(classes=tuple(f"class {index}" for index in range(1000))),
            }
        ),
        {"train": {f"class {index}": index for index in range(1000)}, "test": {}},
    ),
    "vectors": (DataSpec(fields={"vector": VectorField(size=2)}), {}),
}


@pytest.mark.parametrize("case", DATA)
def test_data_of_any_form_make_a_page(tmp_path: Path, case: str) -> None:
    spec, class_counts = DATA[case]
    write_recipe_results(tmp_path, "mlp", scores(fid=31.25))
    data = manifest(spec=spec, class_counts=class_counts, counts={"train": 6, "test": 2}, rejected=())
    page = Page(render(tmp_path, "mlp", data=data))
    assert "mlp is the only recipe" in page.text
    assert spec.fields[spec.target].description in page.text
    assert bool(re.search(r"[\d,]+ class(es)?\b", page.text)) == bool(class_counts)
    assert page.images() == []


def test_classes_that_look_like_numbers_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text("class,real_share\n007,0.123456\n1e3,1\n")
    Contents(tables=(TableEntry(file="classes.csv", title="Classes"),)).write(tmp_path / CONTENTS)
    assert read_tables(tmp_path)[0].lines == [["007", "0.1235"], ["1e3", "1"]]


def test_missing_or_damaged_inputs_are_named(tmp_path: Path) -> None:
    write_recipe_results(tmp_path, "mlp", scores(fid=31.25), table="class\n", images=digits()[:4])
    evaluated = Workspace(tmp_path).evaluated("mlp")

    def code() -> str:
        with pytest.raises(EvaluationError) as error:
            render(tmp_path, "mlp")
        assert "mlp" in error.value.message
        return error.value.code

    (evaluated / "classes.csv").write_bytes(b"\xff\xfe\x00")
    assert code() == "damaged-file"
    (evaluated / "curves.png").write_bytes(b"\x89PNG half")
    assert code() == "damaged-file"
    (evaluated / "samples.png").unlink()
    assert code() == "missing-file"
    (evaluated / "contents.json").write_text("{")
    assert code() == "damaged-file"
    Workspace(tmp_path).run_file("mlp").unlink()
    assert code() == "missing-file"
    Workspace(tmp_path).recipe("mlp").unlink()
    with pytest.raises(SettingsError):
        render(tmp_path, "mlp")
