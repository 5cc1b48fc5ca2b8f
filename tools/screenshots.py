"""Screenshots of MLflow and of the report, as they are with the runs of this checkout.

python -m tools.screenshots FOLDER [--browser /usr/bin/chromium]

Run the pipeline first. Needs playwright (`make env-dev`), a Chromium and a proportional font that it takes for Arial
(Debian: chromium, fonts-liberation): without one MLflow's words are spaced out.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from ganops.data.fields.pictures import save_png
from ganops.params import read_params
from ganops.tracking.location import runs_page
from ganops.tracking.store import connect
from ganops.workspace import WORKSPACE

SIZE = {"width": 1500, "height": 860}
WIDTH = 1200  # pixels of a picture in a page
COLOURS = 128
SECONDS, SETTLE = 60.0, 5000.0  # until a page is there; milliseconds until its charts are drawn
ASSISTANT = '[data-component-id="mlflow.assistant.chat_panel.close"]'  # a panel that opens by itself


@contextmanager
def mlflow_pages(uri: str) -> Iterator[str]:
    """A server on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("mlflow")), "ui", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", uri]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - no shell
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2)  # noqa: S310 - our own server
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def shoot(page: Page, address: str, out: Path, *, shows: str, folded: Sequence[str] = ()) -> None:
    """One picture of what a person sees at an address, when the text `shows` is there; folded: sections to close."""
    page.goto(address, wait_until="load")
    page.get_by_text(shows, exact=True).first.wait_for(timeout=1000 * SECONDS)
    if (assistant := page.locator(ASSISTANT)).count():
        assistant.click()
    for section in folded:
        page.get_by_text(section, exact=True).first.click(timeout=1000 * SECONDS)
    page.wait_for_timeout(SETTLE)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    smaller = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    save_png(smaller.quantize(COLOURS, dither=Image.Dither.NONE), out)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Make them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--browser", default="/usr/bin/chromium")
    options = arguments.parse_args()
    store = connect()
    recipe = json.loads(WORKSPACE.winner.read_text(encoding="utf-8"))["recipe"]
    experiment = store.experiment(read_params(WORKSPACE.params).tracking.experiment)
    with mlflow_pages(store.uri) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1)
        runs = runs_page(address, experiment)
        shoot(page, runs, options.folder / "mlflow.png", shows=recipe, folded=("score", "score/error"))
        if WORKSPACE.report.exists():
            shoot(page, WORKSPACE.report.resolve().as_uri(), options.folder / "report.png", shows=recipe)
        browser.close()


if __name__ == "__main__":
    main()
