"""POST /generate: every format has the same pixels, the same seed the same bits, and what cannot be is refused."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from running_service import Running
from small_model import SPEC, small_recipe

import ganops
from ganops.data.fields.image import ImageField
from ganops.data.fields.pictures import to_pil, to_png
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game


def array(answer: Any) -> np.ndarray[Any, Any]:
    assert answer.status_code == 200, answer.text
    found: np.ndarray[Any, Any] = np.load(io.BytesIO(answer.content), allow_pickle=False)
    return found


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_every_format_has_the_same_pixels(running: Running, model_folder: Path) -> None:
    expected = ganops.load(model_folder).generate(3, seed=5).rows["image"].numpy()
    answer = running.generate(n=3, seed=5, format="npy")
    assert answer.headers["x-ganops-model"] == answer.headers["x-ganops-recipe"] == "tiny"
    assert (array(answer) == expected).all()
    content = running.generate(n=3, seed=5).json()
    assert {key: content[key] for key in ("model", "recipe", "task", "seed")} == {
        "model": "tiny",
        "recipe": "tiny",
        "task": "generate",
        "seed": 5,
    }
    for index, row in enumerate(content["rows"]):
        assert (pixels(base64.b64decode(row["image"])) == expected[index, 0]).all()
    with zipfile.ZipFile(io.BytesIO(running.generate(n=3, seed=5, format="zip").content)) as archive:
        assert archive.namelist() == ["0000.png", "0001.png", "0002.png", "answer.json"]
        assert (pixels(archive.read("0002.png")) == expected[2, 0]).all()
        assert json.loads(archive.read("answer.json"))["rows"] == [{}, {}, {}]
    grid = running.generate(n=3, seed=5, format="png", columns=3)
    assert grid.headers["content-type"] == "image/png"
    assert (pixels(grid.content)[2:-2:7, 2:58:7] == expected[0, 0]).all(), "each pixel is enlarged by 7"


def test_the_same_seed_gives_the_same_bits_alone_and_in_company(start: Callable[..., Running], tmp_path: Path) -> None:
    """Convolutions, whose kernels do change with the batch; 30 requests of all sizes at once."""
    torch.manual_seed(0)
    networks = {
        "generator": {"kind": "dcgan-generator", "latent_dim": 8, "width": 8},
        "discriminator": {"kind": "dcgan-discriminator", "width": 8},
    }
    recipe, spec = small_recipe(networks=networks), DataSpec(fields={"image": ImageField(channels=1, size=32)})
    save_game(tmp_path / "dcgan", build_game(recipe, spec), SavedModel(name="dcgan", recipe=recipe, spec=spec))
    running = start(tmp_path / "dcgan", batch=32)
    asked = [{"n": 1 + seed * 7 % 40, "seed": seed, "format": "npy"} for seed in range(30)]
    alone = [array(running.generate(**each)) for each in asked]
    with ThreadPoolExecutor(15) as clients:
        together = list(clients.map(lambda each: array(running.generate(**each)), asked))
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))
    assert (alone[3][:5] == array(running.generate(n=5, seed=3, format="npy"))).all()
    filled = running.metric("ganops_batch_rows_sum")
    assert filled == 2 * sum(int(each["n"]) for each in asked) + 5, "no row was computed twice"


def test_a_walk_goes_from_one_seed_to_another(running: Running) -> None:
    here, there = (array(running.generate(n=4, seed=seed, format="npy")) for seed in (1, 2))

    def at(position: float) -> np.ndarray[Any, Any]:
        return array(running.generate(n=4, seed=1, walk={"to": 2, "position": position}, format="npy"))

    assert (at(0.0) == here).all()
    assert (at(1.0) == there).all()
    assert not (at(0.5) == here).all()
    assert not (at(0.5) == there).all()


@pytest.fixture
def conditional(start: Callable[..., Running], tmp_path: Path) -> Running:
    """A service of a model that takes labels and whose truncation can be set."""
    torch.manual_seed(0)
    style = {"kind": "stylegan2-generator", "width": 4, "latent_dim": 8, "mapping": 1, "labels": "mapping"}
    networks = {
        "generator": style,
        "discriminator": {"kind": "dcgan-discriminator", "width": 4, "labels": "one-hot"},
    }
    recipe = small_recipe(networks=networks, game={"kind": "conditional", "loss": "non-saturating"})
    save_game(tmp_path / "style", build_game(recipe, SPEC), SavedModel(name="style", recipe=recipe, spec=SPEC))
    return start(tmp_path / "style")


def test_labels_are_given_or_drawn_by_their_shares(conditional: Running) -> None:
    def labels(**asked: object) -> list[str]:
        return [row["label"] for row in conditional.generate(n=4, **asked).json()["rows"]]

    assert sorted(labels()) == ["one", "one", "zero", "zero"]
    assert {labels(seed=seed)[0] for seed in range(8)} == {"one", "zero"}, (
        "the first image of each seed is of any class"
    )
    assert labels(inputs={"label": "one"}) == ["one"] * 4
    assert labels(inputs={"label": ["one", "zero", "zero", "zero"]}) == ["one", "zero", "zero", "zero"]
    for wrong, code in (
        ("three", "unknown-class"),
        (["one"] * 3, "wrong-count"),
        ([], "wrong-count"),
        (7, "unknown-class"),
    ):
        refused = conditional.generate(n=4, inputs={"label": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_truncation_is_the_request_s_own(conditional: Running) -> None:
    whole = array(conditional.generate(n=4, format="npy"))
    average = array(conditional.generate(n=4, format="npy", truncation=0.0, inputs={"label": "one"}))
    assert (average == average[:1]).all(), "all rows are the mean style"
    assert (array(conditional.generate(n=4, format="npy", truncation=1.0)) == whole).all()
    assert (array(conditional.generate(n=4, format="npy")) == whole).all(), "no request changes those after it"
    assert conditional.generate(truncation=1.5).json()["code"] == "bad-truncation"


@pytest.fixture
def translator(start: Callable[..., Running], tmp_path: Path) -> Running:
    """A service of a model that makes an image from an image."""
    torch.manual_seed(0)
    image = ImageField(channels=1, size=16)
    networks = {
        "generator": {"kind": "unet", "width": 4, "max_width": 8},
        "discriminator": {"kind": "patchgan", "width": 4, "layers": 1},
    }
    recipe = small_recipe(networks=networks, game={"kind": "pix2pix"})
    spec = DataSpec(fields={"image": image, "source": image})
    save_game(tmp_path / "pairs", build_game(recipe, spec), SavedModel(name="pairs", recipe=recipe, spec=spec))
    return start(tmp_path / "pairs", picture_pixels=10_000, body_bytes=50_000)


def png(side: int) -> str:
    generator = torch.Generator().manual_seed(side)
    return base64.b64encode(to_png(to_pil(torch.randint(256, (3, side, side), generator=generator).byte()))).decode()


def test_pictures_are_translated_and_bounded(translator: Running) -> None:
    one = translator.generate(inputs={"source": png(16)}).json()["rows"]
    two = translator.generate(n=2, inputs={"source": [png(16), png(20)]}).json()["rows"]
    assert one[0] == two[0] != two[1]
    assert translator.generate().json()["code"] == "inputs-missing"
    assert translator.generate(n=2, inputs={"source": png(16)}, walk={"to": 1, "position": 0.5}).json()["code"] == (
        "no-latents"
    )
    large = translator.generate(inputs={"source": png(101)})
    assert (large.status_code, large.json()["code"]) == (422, "bad-picture")
    assert "10,201" in large.json()["found"] or "101" in large.json()["found"]
    flat = base64.b64encode(to_png(to_pil(torch.zeros(3, 100, 100, dtype=torch.uint8)))).decode()
    assert translator.generate(n=8, inputs={"source": [flat] * 8}).status_code == 200
    many = translator.generate(n=9, inputs={"source": [flat] * 8 + [png(1)]})
    assert (many.status_code, many.json()["code"]) == (422, "bad-picture")
    for wrong in ("", "no base64", base64.b64encode(b"MZ not a picture").decode(), 7, None, {"a": 1}):
        refused = translator.generate(inputs={"source": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad-picture"), wrong
    too_long = translator.generate(inputs={"source": "A" * 60_000})
    assert (too_long.status_code, too_long.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    "asked",
    [
        *({"n": n} for n in (0, -1, 1.5, True, "3", None, 1001, 10**400)),
        *({"seed": seed} for seed in (-1, 2**31, 0.5, "7", True)),
        {"sead": 1},
        {"format": "gif"},
        {"columns": 0},
        {"walk": {"to": 1}},
        {"walk": {"to": 1, "position": 1.5}},
        {"task": "nothing"},
        {"inputs": {"label": "7"}},
        {"inputs": []},
        {"truncation": 0.5},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_a_reason(running: Running, asked: dict[str, Any]) -> None:
    refused = running.generate(**asked)
    assert refused.status_code == 422
    assert set(refused.json()) == {"code", "message", "expected", "found", "action"}
    assert "Traceback" not in refused.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"task": "\\ud800"}'])
def test_bodies_that_are_no_requests(running: Running, body: bytes) -> None:
    json_type = {"Content-Type": "application/json"}
    assert running.client.post("/generate", content=body, headers=json_type).status_code == 422
    assert running.client.post("/generate", content=body, headers={"Content-Type": "text/plain"}).status_code == 415


def test_other_addresses_and_hosts(running: Running) -> None:
    assert running.client.get("/nothing").json()["code"] == "not-found"
    assert running.client.get("/generate").status_code == 405
    assert running.client.get("/model", params={"alias": "challenger"}).status_code == 404
    assert running.client.get("/live", headers={"Host": "evil.example"}).status_code == 400, "DNS rebinding"
