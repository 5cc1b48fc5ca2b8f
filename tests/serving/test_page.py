"""The page in a browser: what a person sees, does by mouse and by keyboard, and what it loads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page import Page as Html
from running_service import Running, running_service
from small_model import save_small_model

from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.store import connect

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("needs chromium on PATH (Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[[Running], Any]]:
    """Opens the page of a service; a script error or a request elsewhere fails the test.

    The page asks for the state of a service that a test has ended: that is not a fault.
    """
    faults: list[str] = []

    def noticed(line: Any) -> None:
        if line.type == "error" and "ERR_CONNECTION_REFUSED" not in line.text:
            faults.append(line.text)

    def opened(running: Running) -> Any:
        page = browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", noticed)
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith((running.address, "data:", "blob:")) else faults.append(asked.url)
            ),
        )
        page.goto(running.address)
        page.wait_for_selector(".tiles img:not([hidden])")
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert faults == []


def settled(page: Any) -> list[str]:
    """The pictures on the page, when no request is due or on its way."""
    page.wait_for_selector("html:not(.busy)")
    found: list[str] = page.eval_on_selector_all(".tiles li img:last-of-type", "all => all.map(each => each.src)")
    return found


def test_a_seed_gives_its_images_and_a_slider_more_of_them(
    open_page: Callable[[Running], Any], running: Running
) -> None:
    page = open_page(running)
    first = settled(page)
    expected = [f"data:image/png;base64,{row['image']}" for row in running.generate(n=16, seed=7).json()["rows"]]
    assert first == expected
    assert "16 images from tiny" in page.inner_text("#state")
    page.fill("#seed", "8")
    other = settled(page)
    assert not set(first) & set(other)
    page.focus("#position")
    page.keyboard.press("End")
    page.fill("#seed", "7")
    assert settled(page) == other, "the end of the walk towards seed 8"
    page.focus("#count")
    page.keyboard.press("Home")
    assert len(settled(page)) == 1


def test_it_can_be_used_with_the_keyboard_alone(open_page: Callable[[Running], Any], running: Running) -> None:
    page = open_page(running)
    before = settled(page)
    page.keyboard.press("r")
    assert settled(page) != before
    reached = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"seed", "shuffle", "count", "to", "position", "play", "Save grid", "Save files", "curl"} <= reached
    page.focus(".tiles button")
    page.keyboard.press("Enter")
    assert page.is_visible("#viewer")
    page.keyboard.press("ArrowRight")
    assert "Image 2" in page.inner_text("#viewer figcaption")
    page.keyboard.press("Escape")
    assert not page.is_visible("#viewer")


def test_champion_and_challenger_stand_side_by_side(
    open_page: Callable[[Running], Any], register_version: Callable[..., str], start: Callable[..., Running]
) -> None:
    register_version(fid=10.0)
    Versions(connect(), "ganops").set_alias(CHAMPION, "1")
    register_version(fid=9.0)
    running = start("models:/ganops@champion")
    running.service.models.look()
    page = open_page(running)
    settled(page)
    assert page.locator(".side:visible .version").all_inner_texts() == ["ganops/1", "ganops/2"]
    page.uncheck("#compare")
    assert page.locator(".side:visible .version").all_inner_texts() == ["ganops/1"]


def test_a_grid_can_be_saved(open_page: Callable[[Running], Any], running: Running) -> None:
    page = open_page(running)
    with page.expect_download() as download:
        page.click("text=Save grid")
    saved = Path(download.value.path()).read_bytes()
    assert saved == running.generate(n=16, seed=7, format="png").content
    assert download.value.suggested_filename == "tiny-seed-7.png"


def test_a_score_that_somebody_has_edited_is_left_out(running: Running) -> None:
    slot = running.service.models.slots[running.service.models.main]
    assert slot.served is not None
    slot.served = replace(slot.served, tags={"metric": "fid", "score.fid": "good"})
    assert running.client.get("/").status_code == 200


def test_it_loads_nothing_from_elsewhere_and_hostile_names_stay_text(tmp_path: Path) -> None:
    """Every picture has a text, every control a label."""
    with running_service(save_small_model(tmp_path / "<script>alert(1)<script>")) as running:
        answer = running.client.get("/")
        html = Html(answer.text)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert [attributes["src"] for tag, attributes in html.elements if tag == "script"] == ["assets/page.js"]
        assert "<script>alert" not in answer.text
        labelled = {attributes.get("for") for tag, attributes in html.elements if tag == "label"}
        fields = [attributes for tag, attributes in html.elements if tag == "input" and "id" in attributes]
        assert {field["id"] for field in fields if field.get("type") in ("number", "range")} <= labelled
        assert all("alt" in image for image in html.images())
