"""The gallery in a real browser, opened from disk: what a person does with it, and what names must not do."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from stylebatch.flows.gallery import gallery
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.again.earlier import read_earlier
from stylebatch.tasks.again.picks import picked
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.storage.places import Place
from tests.conftest import AtServer

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# What is seen at the left edge of the matrix' header and of its last row.
AT_THE_LEFT = """() => [...document.querySelectorAll(".row")].filter((_, at, all) => at % (all.length - 1) === 0)
  .map((row) => document.elementFromPoint(20, row.getBoundingClientRect().bottom - 20))
  .map((element) => element.closest("[role]").getAttribute("role"))"""
# Which pictures were asked for before there was a frame, and which are within the window.
ASKED_AND_SEEN = """() => {
  const places = (isOne) => [...document.querySelectorAll("main img")].flatMap((image, at) => isOne(image) ? [at] : []);
  return [places((image) => image.loading === "eager"), places((image) => {
    const { top, left } = image.getBoundingClientRect();
    return top < innerHeight && left < innerWidth;
  })];
}"""
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture(scope="module")
def page_file(at_server: AtServer, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery with cached, completed and failed rows, and a content whose name is markup."""
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copy(samples / "images/coffee.jpg", folder / HOSTILE)
    manifest = folder / "rows.csv"
    row = f"{HOSTILE},{samples}/styles/glass.jpg,64,3\n"
    with at_server():
        manifest.write_text("content,style,size,steps\n" + row)
        stylize(manifest, folder / "out", trace=True, grids=False)
        with manifest.open("a") as file:
            file.write(f"{samples}/images/chelsea.jpg,{samples}/styles/waves.jpg,64,3\n")
            file.write("gone.jpg,gone.jpg,64,3\n")
        stylize(manifest, folder / "out", trace=True, grids=False)
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


class Visit:
    """Pages that are opened from disk; anything that the browser complains of fails the test."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._pages: list[Page] = []

    def __call__(self, file: Place, address: str = "", **context: Any) -> Page:
        assert isinstance(file, Path)
        opened = self._browser.new_page(**context)
        opened.on("console", lambda message: self.complaints.append(message.text))
        opened.on("pageerror", lambda error: self.complaints.append(str(error)))
        opened.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        opened.goto(file.as_uri() + address)
        self._pages.append(opened)
        return opened

    def close(self) -> None:
        for page in self._pages:
            page.context.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    visit.close()
    assert visit.complaints == []


@pytest.fixture
def page(visit: Visit, page_file: Path) -> Page:
    return visit(page_file)


def ids(page: Page) -> list[str]:
    return [re.sub(r"-[0-9a-f]{8}$", "", name) for name in page.locator(".list strong").all_text_contents()]


def scale(picture: Locator) -> float:
    """How far a picture is zoomed in."""
    width: float = picture.evaluate("image => image.getBoundingClientRect().width / image.clientWidth")
    return width


# What was there before


@pytest.mark.slow
def test_statuses_reasons_and_hostile_names_are_text(page: Page) -> None:
    page.click("[data-view=list]")
    expect(page.locator(".heading p")).to_contain_text("1 completed, 1 cached, 1 failed")
    expect(page.locator(".list")).to_contain_text(HOSTILE)
    expect(page.locator(".list .error")).to_contain_text("there is no file 'gone.jpg'")
    assert page.locator("img[src=x]").count() == 0


def test_figures_have_three_digits_or_the_commas_of_thousands(page: Page) -> None:
    written = page.evaluate("[null, 0, 0.123456, -42, 999.4, 999.7, 1234.5, 654321, 1234567].map(formatted)")
    assert written == ["–", "0", "0.123", "-42", "999", "1,000", "1,235", "654,321", "1.235M"]


def test_it_filters_and_finds_words_in_any_order(page: Page) -> None:
    page.click("[data-view=list]")
    page.select_option("[name=filter-status]", "failed")
    assert ids(page) == ["row-3"]
    page.click("[type=reset]")
    expect(page.locator(".list > li")).to_have_count(3)
    page.fill("[name=find]", "waves chelsea")
    expect(page.locator(".list > li")).to_have_count(1)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    results = page.locator("main [data-pair]:not(.failed)")
    for number in range(2):
        results.nth(number).focus()
        page.keyboard.press("c")
    results.first.focus()
    page.keyboard.press("s")
    for prepare in ("[data-view=matrix]", "[data-view=list]", "[data-view=summary]"):
        page.click(prepare)
        check(page)
    page.click("#tray-open")
    check(page)
    page.click("#versus-close")
    page.click("[data-view=matrix]")
    results.first.click()
    check(page)
    page.click("#apart")
    check(page)


def check(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_second_gallery_makes_no_picture_again(page_file: Path) -> None:
    files = {file: file.stat().st_mtime_ns for file in (page_file.parent / "pictures").iterdir()}
    gallery([page_file.parent.parent])
    assert files == {file: file.stat().st_mtime_ns for file in (page_file.parent / "pictures").iterdir()}


@pytest.mark.usefixtures("prefect")
def test_an_impossible_request_is_refused(page_file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no run in"):
        gallery([tmp_path])
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(BadRequest, match="did not write"):
        gallery([page_file.parent.parent], tmp_path)


# 1. Picks


def test_picks_are_kept_counted_and_given_back_as_a_manifest(page: Page, page_file: Path) -> None:
    first = page.locator("main [data-pair]:not(.failed)").first
    first.focus()
    page.keyboard.press("n")
    page.keyboard.type('"warm", and large')
    page.keyboard.press("Escape")
    page.locator("[data-star]").nth(1).click()
    page.reload()
    expect(page.locator("#picked")).to_have_text("★ 2 picked")
    page.locator("[data-star]").nth(1).click()
    page.click("#picked")
    expect(page.locator("#count")).to_have_text("1 of 3 results")
    with page.expect_download() as started:
        page.click("#picks button")
    run = page_file.parent.parent
    file = run.parent / started.value.suggested_filename
    started.value.save_as(file)
    with file.open(newline="") as text:
        (row,) = csv.DictReader(text)
    assert (row["content"], row["size"], row["steps"], row["note"]) == (HOSTILE, "64", "3", '"warm", and large')
    pairs, bad = check_rows(read_manifest(file), {})
    assert (len(pairs), pairs[0].settings.size, bad) == (1, 64, [])
    outcomes = read_earlier(run).outcomes
    assert picked(file, outcomes) == {outcome.row for outcome in outcomes if outcome.id == row["id"]} != set()


# 2. Compare


@pytest.mark.slow
def test_results_are_compared_with_one_zoom_and_one_slider(page: Page) -> None:
    results = page.locator("main [data-pair]:not(.failed)")
    for number in range(2):
        results.nth(number).focus()
        page.keyboard.press("c")
    page.click("#tray-open")
    panes = page.locator("#versus .pane > img")
    expect(panes).to_have_count(2)
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(page.locator("#versus .pane.zoomed")).to_have_count(2)
    assert scale(panes.nth(0)) > 1.5
    assert scale(panes.nth(0)) == pytest.approx(scale(panes.nth(1)))
    edges = page.locator("#versus .edge")
    before = edges.nth(1).bounding_box()
    page.locator("#versus .slider").first.focus()
    page.keyboard.press("ArrowRight")
    assert edges.nth(1).bounding_box() != before, "one slider for all"
    address = page.url
    page.go_back()
    expect(page.locator("#versus")).not_to_be_visible()
    page.goto(address)
    expect(page.locator("#versus .pane")).to_have_count(2)


@pytest.mark.slow
def test_a_wheel_zooms_to_the_pixel_and_a_drag_moves(page: Page) -> None:
    page.locator("main [data-pair]:not(.failed)").first.click()
    picture = page.locator("#stage .pane > img")
    for _ in range(8):
        page.locator("#stage .pane").hover(position={"x": 90, "y": 90})
        page.mouse.wheel(0, -400)
    expect(page.locator("#stage .pane.pixels")).to_have_count(1)
    before = picture.bounding_box()
    frame = page.locator("#stage .pane").bounding_box()
    assert before
    assert frame
    page.mouse.move(frame["x"] + 60, frame["y"] + 60)
    page.mouse.down()
    page.mouse.move(frame["x"] + 20, frame["y"] + 40, steps=3)
    page.mouse.up()
    page.wait_for_function(
        "left => document.querySelector('#stage .pane > img').getBoundingClientRect().x < left - 20", arg=before["x"]
    )
    covered = page.locator("#stage .cover img").bounding_box()
    assert covered == pytest.approx(picture.bounding_box(), abs=0.1), "content and result move as one"
    page.keyboard.press("0")
    expect(page.locator("#stage .pane.zoomed")).to_have_count(0)


@pytest.mark.slow
def test_content_style_and_result_at_once_full_screen_and_a_slide_show(page: Page) -> None:
    page.clock.install()
    page.locator("main [data-pair]").first.click()
    page.keyboard.press("t")
    expect(page.locator("#stage .panes .pane")).to_have_count(3)
    page.click("#full")
    page.wait_for_function("document.fullscreenElement")
    page.click("#full")
    name = page.locator("#large-title").inner_text()
    page.click("#slides")
    page.clock.run_for(4100)
    expect(page.locator("#large-title")).not_to_have_text(name)


# 4. The slider, keys and addresses


def test_a_pair_opens_large_with_slider_curve_and_keys(page: Page) -> None:
    first = page.locator("main [data-pair]:not(.failed)").first
    first.focus()
    page.keyboard.press("Enter")
    title = page.locator("#large-title")
    name = title.inner_text()
    expect(page.locator(".curve polyline")).to_have_count(3)
    pane, edge = page.locator("#stage .pane").bounding_box(), page.locator("#stage .edge").bounding_box()
    assert pane
    assert edge
    assert edge["x"] + 1 == pytest.approx(pane["x"] + pane["width"] / 2, abs=1), "in the middle"
    expect(page.locator("#stage .grip")).to_be_visible()
    page.locator("#stage .slider").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert title.inner_text() == name
    title.focus()
    for key in ("ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator("#stage .slider").input_value() == "59", "kept from picture to picture"
    page.keyboard.press("<")
    assert page.locator("#stage .slider").input_value() == "54"
    page.keyboard.press("Escape")
    expect(page.locator("#large")).not_to_be_visible()
    expect(first).to_be_focused()


def test_a_view_and_a_pair_have_an_address_and_back_closes(visit: Visit, page_file: Path) -> None:
    page = visit(page_file)
    page.click("[data-view=list]")
    page.locator("main [data-pair]").first.click()
    page.click("#next")
    title, address = page.locator("#large-title").inner_text(), page.url
    assert "view=list" in address
    page.go_back()
    expect(page.locator("#large")).not_to_be_visible()
    expect(page.locator(".list")).to_be_visible()
    page.go_back()
    expect(page.locator(".matrix")).to_be_visible()
    other = visit(page_file, f"#{address.split('#')[1]}")
    expect(other.locator("#large-title")).to_have_text(title)
    other.click("#close")
    expect(other.locator(".list")).to_be_visible()


def test_pictures_fill_the_window_or_have_the_size_that_is_chosen(page: Page) -> None:
    box = page.locator(".matrix .cell").last.bounding_box()
    assert box
    assert box["x"] + box["width"] > 1280 - 40
    page.select_option("[name=size]", "110")
    small = page.locator(".matrix .result img").first.bounding_box()
    assert small
    assert small["width"] == 110


# 3, 5, 6: presenting, the truth, two runs


@pytest.fixture(scope="module")
def runs(at_server: AtServer, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of one pair and of one that failed, which differ in their style weight, and a sweep of two settings."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copy(samples / "images/chelsea.jpg", folder / "a_sleepy-cat.jpg")
    manifest = folder / "rows.csv"
    rows = [f"{name},{samples}/styles/glass.jpg,64,5" for name in ("a_sleepy-cat.jpg", "gone.jpg")]
    manifest.write_text("\n".join(["content,style,size,steps", *rows]))
    sweep = folder / "sweep.yaml"
    sweep.write_text(
        "defaults: {steps: 1}\n"
        f"contents: [a_sleepy-cat.jpg, {samples}/images/coffee.jpg]\n"
        f"styles: [{samples}/styles/glass.jpg]\n"
        "sweep: {size: [64, 72], style_weight: [1, 10]}\n"
    )
    with at_server():
        for weight in ("10", "100"):
            stylize(manifest, folder / weight, {"style_weight": weight}, grids=False)
        stylize(sweep, folder / "sweep", grids=False)
    return [folder / "10", folder / "100", folder / "sweep"]


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_presentation_has_names_and_no_figures(visit: Visit, runs: list[Path]) -> None:
    file = gallery(runs[:1], title="Cats for May", presentation=True)
    assert isinstance(file, Path)
    page = visit(file)
    expect(page.locator("h1")).to_have_text("Cats for May")
    page.click("[data-view=list]")
    expect(page.locator(".list strong")).to_have_text("A sleepy cat in the style of Glass")
    page.locator("main [data-pair]").first.click()
    assert not re.search(r"loss|distance|[0-9a-f]{8}|relu|gone|weight", page.locator("body").inner_text())
    assert {one.name for one in file.parent.iterdir()} == {"index.html", "pictures"}
    check(page)
    page.emulate_media(media="print")
    expect(page.locator("nav")).not_to_be_visible()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_two_runs_compare_only_what_compares_and_switch_in_place(
    visit: Visit, runs: list[Path], tmp_path: Path
) -> None:
    page = visit(gallery(runs[:2], tmp_path / "comparison"))
    page.select_option("[name=sort]", "total_loss")
    expect(page.locator("#note")).to_have_text(
        "The total loss does not compare between results that differ in style_weight."
    )
    expect(page.locator(".matrix .result.completed .caption")).to_have_count(2)
    expect(page.locator(".matrix .change")).to_have_count(0)
    assert page.locator(".matrix .result.failed").count() == 2, "failed rows have their place by their settings too"
    page.select_option("[name=sort]", "content_loss")
    expect(page.locator("#note")).to_be_hidden()
    expect(page.locator(".matrix .change")).to_have_text(re.compile(r"[+−]\d+ %$"))
    page.locator(".matrix .result.completed").first.click()
    page.keyboard.press("+")
    expect(page.locator("#stage .pane.zoomed")).to_be_visible()
    source = page.locator("#stage .pane > img").get_attribute("src")
    page.keyboard.press("x")
    picture = page.locator("#stage .pane > img")
    expect(picture).not_to_have_attribute("src", source or "")
    expect(page.locator("#stage .pane.zoomed")).to_be_visible()
    page.go_back()
    expect(page.locator("#large")).not_to_be_visible()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_sweep_has_two_dimensions_for_each_content_and_its_one_style_is_seen(
    visit: Visit, runs: list[Path], tmp_path: Path
) -> None:
    page = visit(gallery(runs[2:], tmp_path / "sweep"), viewport={"width": 700, "height": 500})
    expect(page.locator(".top .head")).to_have_text([re.compile("glass.jpg"), "style_weight 1", "style_weight 10"])
    expect(page.locator(".top .lone img")).to_have_count(1)
    expect(page.locator(".row:not(.top)")).to_have_count(4)
    expect(page.locator(".row.first")).to_have_count(2)
    expect(page.locator(".row:not(.top) .head .originals")).to_have_count(2)
    page.select_option("[name=size]", "520")
    page.locator("main").evaluate("main => main.scrollTo(400, 9999)")
    assert page.evaluate(AT_THE_LEFT) == ["columnheader", "rowheader"], "nothing lies over the names"
    name = page.locator(".row:not(.top) .head").last.locator(".name").first.bounding_box()
    assert name
    assert name["x"] == 12, "with its margin"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_losses_are_ranked_within_a_style_and_structure_comes_first(
    visit: Visit, page_file: Path, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    run = tmp_path / "run"
    shutil.copytree(page_file.parent.parent, run, ignore=shutil.ignore_patterns("gallery"))
    report = pq.read_table(run / "report.parquet")
    for name, values in (
        ("structure", [0.4, 0.8, None]),
        ("total_loss", [9.0, 1.0, None]),
    ):
        at = report.column_names.index(name) if name in report.column_names else None
        column = pa.array(values, pa.float64())
        report = report.append_column(name, column) if at is None else report.set_column(at, name, column)
    classic = [text and text.replace('"balanced"', '"classic"') for text in report["settings"].to_pylist()]
    report = report.set_column(report.column_names.index("settings"), "settings", pa.array(classic, pa.string()))
    pq.write_table(report, run / "report.parquet")
    page = visit(gallery([run]), "#view=list")
    assert ids(page) == ["chelsea-waves", ids(page)[1], "row-3"]
    expect(page.locator(".list dd").first).to_have_text("0.8")
    page.select_option("[name=sort]", "total_loss")
    assert ids(page)[1] == "chelsea-waves", "another style's loss is no better"
    expect(page.locator("#note")).to_contain_text(re.compile("Each style.* is ranked by itself"))
    page.select_option("[name=sort]", "structure")
    page.select_option("[name=direction]", "worst")
    assert ids(page)[1:] == ["chelsea-waves", "row-3"], "what has no figure stays last"


@pytest.mark.slow
@pytest.mark.slow
def test_many_styles_of_one_photograph_go_on_below_each_other(visit: Visit, samples: Path, tmp_path: Path) -> None:
    """Each with its own heading, on a screen and on paper, and none wider than the window."""
    from stylebatch.tasks.gallery.collection import Collection
    from stylebatch.tasks.gallery.folder import write_page
    from stylebatch.tasks.gallery.page_data import Look, page_data
    from stylebatch.tasks.gallery.thumbnails import make_copies
    from stylebatch.tasks.runs.report import Outcome, write_report, write_run
    from stylebatch.tasks.runs.run_folder import read_runs
    from stylebatch.tasks.storage.files import sha256_of
    from tests.tasks.runs.test_report import make_record

    run = tmp_path / "run"
    (run / "images").mkdir(parents=True)
    outcomes = []
    for row, style in enumerate(("glass", "swirls", "waves", "papercut", "night"), start=1):
        picture = Path(shutil.copy(samples / "images/chelsea.jpg", run / f"images/{style}.png"))
        source = samples / ("images/coffee.jpg" if style == "night" else f"styles/{style}.jpg")
        painting = Path(shutil.copy(source, tmp_path / f"{style}.jpg"))
        digests = {"output_sha256": sha256_of(picture), "style_sha256": sha256_of(painting)}
        record = make_record(key=str(row), width=451, height=300, **digests)
        outcomes.append(Outcome(row, style, str(samples / "images/chelsea.jpg"), f"{style}.jpg", "completed", record))
    write_report(outcomes, run / "report.parquet")
    asked = {"manifest": str(tmp_path / "my.csv"), "rows": 5, "set": {}, "set_rows": []}
    write_run(run / "run.json", outcomes, asked)
    folder = tmp_path / "page"
    collection = Collection(read_runs([run]), folder)
    make_copies.fn(collection.copies())
    write_page(folder, collection, page_data(collection, Look("", True), {}, {}, []))
    page = visit(folder / "index.html", viewport={"width": 900, "height": 700})
    expect(page.locator(".single .cell .head .name")).to_have_text(["Glass", "Swirls", "Waves", "Papercut", "Night"])
    expect(page.locator(".single .row > .head .name")).to_have_text("Chelsea")
    main = page.locator("main")
    assert main.evaluate("main => main.scrollWidth") == main.evaluate("main => main.clientWidth")
    tops = {round(box["y"]) for cell in page.locator(".cell .result").all() if (box := cell.bounding_box())}
    assert len(tops) == 2, "three in a row, with the photograph as the first"
    page.emulate_media(media="print")
    widths = {round(box["width"]) for cell in page.locator(".cell").all() if (box := cell.bounding_box())}
    assert all(width > 250 for width in widths), "large enough to be seen on paper"


def test_of_many_results_what_is_near_the_window_is_made(visit: Visit, samples: Path, tmp_path: Path) -> None:
    from stylebatch.tasks.gallery.collection import Collection
    from stylebatch.tasks.gallery.folder import write_page
    from stylebatch.tasks.gallery.page_data import Look, page_data
    from stylebatch.tasks.gallery.thumbnails import make_copies
    from stylebatch.tasks.runs.report import Outcome, write_report, write_run
    from stylebatch.tasks.runs.run_folder import read_runs
    from stylebatch.tasks.storage.files import sha256_of
    from tests.tasks.runs.test_report import make_record

    (tmp_path / "run/images").mkdir(parents=True)
    picture = Path(shutil.copy(samples / "images/chelsea.jpg", tmp_path))
    outcomes = []
    for row, (content, style) in enumerate(product(range(30), range(40)), start=1):
        os.link(picture, tmp_path / f"run/images/{row}.png")
        digests = {
            "output_sha256": sha256_of(picture),
            "content_sha256": f"{content:064}",
            "style_sha256": f"{style:064}",
        }
        record = make_record(key=str(row), width=451, height=300, **digests)
        outcomes.append(Outcome(row, str(row), f"c{content:02}.jpg", f"s{style:02}.jpg", "completed", record))
    write_report(outcomes, tmp_path / "run/report.parquet")
    asked = {"manifest": str(tmp_path / "my.csv"), "rows": 1200, "set": {}, "set_rows": []}
    write_run(tmp_path / "run/run.json", outcomes, asked)
    collection = Collection(read_runs([tmp_path / "run"]), tmp_path / "page")
    missing = make_copies.fn(collection.copies())
    write_page(tmp_path / "page", collection, page_data(collection, Look(), missing, {}, []))
    page = visit(tmp_path / "page/index.html")
    pictures, results = page.locator("main img"), page.locator("main [data-pair]")
    assert (tmp_path / "page/index.html").read_bytes().isascii(), "or a browser keeps two bytes a character"
    page.wait_for_load_state("load")
    expect(results.first).to_be_visible()
    assert pictures.count() < 400, "of 1200"
    eager, seen = page.evaluate(ASKED_AND_SEEN)
    assert eager == seen, "nothing that is seen waits for a frame, and nothing else is asked for before it"
    assert len(seen) > 12, "of more than one row"
    results.first.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page.locator("main [data-pair='20']")).to_be_focused()
    # Quicker than the window: nothing is made between these but by the keys themselves.
    page.evaluate("""() => {
        for (const key of [...Array(19).fill("ArrowRight"), ...Array(29).fill("ArrowDown"), "ArrowUp"])
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }""")
    expect(page.locator("main [data-pair='1159']")).to_be_focused()
    page.evaluate("document.getElementById('main').scrollTo(1e6, 1e6)")
    page.locator("main [data-pair='1199']").scroll_into_view_if_needed()
    assert pictures.count() < 400
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert results.count() == 1200, "paper has no window"
