"""`mlflow models serve` answers as docs/promotion.md says."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from service import free_port, running, wait_for_answer
from small_model import register_small

from ganops.tracking.location import tracking_uri

pytestmark = pytest.mark.slow


@pytest.fixture
def address(tracking_home: Path) -> Iterator[str]:
    """A server of the challenger."""
    register_small(tracking_home)
    port, log = free_port(), tracking_home / "serve.log"
    tools = Path(sys.executable).parent
    with log.open("w") as file:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/ganops@challenger"),
                *("--env-manager", "local", "-p", str(port)),
            ],
            env=os.environ | {"MLFLOW_TRACKING_URI": tracking_uri(), "PATH": f"{tools}:{os.environ['PATH']}"},
            cwd=tracking_home,
            start_new_session=True,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    with running(server, log):
        wait_for_answer(f"http://127.0.0.1:{port}/ping", server, log)
        yield f"http://127.0.0.1:{port}/invocations"


def ask(address: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["predictions"]


def test_images_come_as_png_the_same_for_the_same_seed(address: str) -> None:
    answer = ask(address, {"dataframe_records": [{"n": 3}], "params": {"seed": 5}})
    assert [sorted(row) for row in answer] == [["image", "model"]] * 3
    assert {row["model"] for row in answer} == {"ganops/1"}
    images = [Image.open(io.BytesIO(base64.b64decode(row["image"]))) for row in answer]
    assert {(image.format, image.mode, image.size) for image in images} == {("PNG", "L", (8, 8))}
    assert ask(address, {"dataframe_records": [{"n": 3}], "params": {"seed": 5}}) == answer
    assert ask(address, {"dataframe_records": [{"n": 3}], "params": {"seed": 6}}) != answer
    assert len(ask(address, {"inputs": {"n": [2]}})) == 2
    for wrong in (
        *({"dataframe_records": [{"n": n}]} for n in (0, 1.5, True, "3", None)),
        *({"inputs": {"n": [n]}} for n in (0, 1.5, True, "3")),
        {"dataframe_records": [{"n": 1}], "params": {"sead": 1}},
        {"dataframe_records": [{"n": 1}], "params": {"seed": "7"}},
        {"dataframe_records": [{"count": 1}]},
        {"dataframe_records": [{"n": 1, "lable": 3}]},
        {"dataframe_records": []},
        {"dataframe_records": [{"n": [1]}]},
        {"dataframe_records": [{"n": 1e300}]},
        {"dataframe_split": {"columns": ["n"], "data": [[1, 2]]}},
        {"instances": [[1]]},
        {"n": 1},
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, wrong)
        assert refused.value.code == 400, wrong
