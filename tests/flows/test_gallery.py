"""The gallery in a real browser, opened from disk: what a person does with it, and what names must not do."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stylebatch.flows.gallery import gallery
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.errors import BadRequest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture(scope="module")
def page_file(prefect_server: str, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery with cached, completed and failed rows, and a content whose name is markup."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    folder = tmp_path_factory.mktemp("gallery")
    shutil.copy(samples / "images/coffee.jpg", folder / HOSTILE)
    manifest = folder / "rows.csv"
    row = f"{HOSTILE},{samples}/styles/glass.jpg,64,3\n"
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        manifest.write_text("content,style,size,steps\n" + row)
        stylize(manifest, folder / "out", trace=True)
        with manifest.open("a") as file:
            file.write(f"{samples}/images/chelsea.jpg,{samples}/styles/waves.jpg,64,3\n")
            file.write("gone.jpg,gone.jpg,64,3\n")
        stylize(manifest, folder / "out", trace=True)
        page = gallery([folder / "out"])
        assert isinstance(page, Path)
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if BROWSER is None:
        message = "there is no Chromium for the browser tests; get one with: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Page]:
    """The page, opened from disk; anything that the browser complains of fails the test."""
    complaints: list[str] = []
    opened = browser.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.goto(page_file.as_uri())
    yield opened
    opened.close()
    assert complaints == []


def ids(page: Page) -> list[str]:
    """Not by the inner text, which is empty as long as the browser leaves an entry out of what it renders."""
    return [re.sub(r"-[0-9a-f]{8}$", "", name) for name in page.locator(".list strong").all_text_contents()]


def test_statuses_reasons_and_hostile_names_are_text(page: Page) -> None:
    page.click("[data-view=list]")
    expect(page.locator(".heading p")).to_contain_text("1 completed, 1 cached, 1 failed")
    expect(page.locator(".list")).to_contain_text(HOSTILE)
    expect(page.locator(".list .error")).to_contain_text("there is no file 'gone.jpg'")
    assert page.locator("img[src=x]").count() == 0


def test_it_sorts_and_filters(page: Page) -> None:
    page.click("[data-view=list]")
    page.select_option("[name=sort]", "total_loss")
    best = ids(page)
    page.select_option("[name=direction]", "worst")
    assert ids(page) == [best[1], best[0], best[2]], "what has no loss stays last"
    page.select_option("[name=filter-status]", "failed")
    assert ids(page) == ["row-3"]
    page.click("[type=reset]")
    expect(page.locator(".list > li")).to_have_count(3)
    page.fill("[name=find]", "chelsea")
    expect(page.locator(".list > li")).to_have_count(1)


def test_a_pair_opens_large_with_slider_curve_and_keys(page: Page) -> None:
    first = page.locator("main [data-pair]").first
    first.focus()
    page.keyboard.press("Enter")
    title = page.locator("#large-title")
    name = title.inner_text()
    expect(page.locator(".curve polyline")).to_have_count(3)
    before = page.locator(".wipe .before")
    hidden = before.evaluate("element => getComputedStyle(element).clipPath")
    page.focus("#wipe")
    page.keyboard.press("ArrowRight")
    assert before.evaluate("element => getComputedStyle(element).clipPath") != hidden
    assert title.inner_text() == name
    title.focus()
    page.keyboard.press("ArrowRight")
    assert title.inner_text() != name
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).not_to_be_visible()
    expect(first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for prepare in ("[data-view=matrix]", "[data-view=list]", "[data-view=summary]", "[data-view=matrix]"):
        page.click(prepare)
        check(page)
    page.locator("main [data-pair]").first.click()
    check(page)


def check(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_second_gallery_makes_no_picture_again(prefect: None, page_file: Path) -> None:
    files = {file: file.stat().st_mtime_ns for file in (page_file.parent / "pictures").iterdir()}
    gallery([page_file.parent.parent])
    assert files == {file: file.stat().st_mtime_ns for file in (page_file.parent / "pictures").iterdir()}


def test_an_impossible_request_is_refused(prefect: None, page_file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no run in"):
        gallery([tmp_path])
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(BadRequest, match="did not write"):
        gallery([page_file.parent.parent], tmp_path)


@pytest.fixture(scope="module")
def runs(prefect_server: str, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of one pair and of one that failed, which differ in their style weight."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    folder = tmp_path_factory.mktemp("runs")
    manifest = folder / "rows.csv"
    rows = [f"{name},{samples}/styles/glass.jpg,64,2" for name in (f"{samples}/images/chelsea.jpg", "gone.jpg")]
    manifest.write_text("\n".join(["content,style,size,steps", *rows]))
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        for weight in ("10", "100"):
            stylize(manifest, folder / weight, {"style_weight": weight})
    return [folder / "10", folder / "100"]


@pytest.mark.usefixtures("prefect")
def test_two_runs_side_by_side_compare_only_what_compares(browser: Browser, runs: list[Path], tmp_path: Path) -> None:
    opened = browser.new_page()
    opened.goto(gallery(runs, tmp_path / "comparison").as_uri())
    expect(opened.locator("#note")).to_have_text(
        "The total loss does not compare between results that differ in style_weight."
    )
    results = opened.locator(".matrix .result.completed .caption")
    expect(results).to_have_count(2)
    expect(opened.locator(".matrix .change")).to_have_count(0)
    assert opened.locator(".matrix .result.failed").count() == 2, "failed rows have their place by their settings too"
    opened.select_option("[name=sort]", "content_loss")
    expect(opened.locator("#note")).to_be_hidden()
    expect(opened.locator(".matrix .change")).to_have_count(1)
    expect(opened.locator(".matrix .change")).to_have_text(re.compile(r"^[+−]\d+ %$"))
    opened.close()
