"""What a gallery of thousands of pairs takes, to write and in a browser: `make bench-gallery`.

A run's folder is made of small pictures and of records, with the writers that runs use; only the figures in them are
made up, those of quality too, since judging has a speed of its own. `stylebatch gallery` makes the gallery of it, and
Chromium opens it from disk, each time in a fresh context. Times in the browser begin with the navigation.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from stylebatch.tasks.gallery.quality import Figures, judging_layers, write_figures
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.results.trace import Trace
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.report import Outcome, output_of
from stylebatch.tasks.runs.traces import write_traces
from stylebatch.tasks.storage.files import sha256_of, write_atomically

COMMAND = str(Path(sys.executable).parent / "stylebatch")
SAMPLES = Path(__file__).parent.parent.parent / "manifests"
SIDE = 192  # pixels of the longer side
STEPS = 60  # as many points as a gallery keeps of a curve
CONTENTS = 50
# Without the pages that the address bar has of its own, which start at the same time and are counted as pages, too.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup"]
DISTINCT = 2000  # results; further rows show these again, as rows of equal keys do
# Resolves once every thumbnail within the window has been decoded and a frame with them was made.
PAINTED = """async () => {
  for (;;) {
    await new Promise(requestAnimationFrame);
    const seen = [...document.querySelectorAll("main img")].filter((image) => {
      const { top, bottom, left, right } = image.getBoundingClientRect();
      return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    });
    if (seen.length && seen.every((image) => image.complete && image.naturalWidth)) {
      await Promise.all(seen.map((image) => image.decode()));
      await new Promise(requestAnimationFrame);
      return performance.now();
    }
  }
}"""
# From a change in a field or a click until the frame after it was made.
CHANGED = """async ([selector, value]) => {
  const field = document.querySelector(selector), began = performance.now();
  if (value === null) field.click();
  else { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); }
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""
ACTIONS: Mapping[str, tuple[str, str | None]] = {
    "sort by style loss, matrix": ("[name=sort]", "style_loss"),
    "filter by content, matrix": ("[name=filter-content]", "7"),
    "no filter again, matrix": ("[name=filter-content]", ""),
    "show the list": ("[data-view=list]", None),
    "sort by seconds, list": ("[name=sort]", "seconds"),
    "find a name, list": ("[name=find]", "style-042"),
    "no name again, list": ("[name=find]", ""),
    "open a pair, with its curve": ("main [data-pair]", None),
}


def make_run(folder: Path, pairs: int) -> None:
    """A run's folder as `stylebatch run --trace` leaves it, and the quality figures of its gallery."""
    generator = np.random.default_rng(0)
    samples = [_sample(file) for kind in ("images", "styles") for file in sorted((SAMPLES / kind).glob("*.jpg"))]
    half = len(samples) // 2
    pictures = {
        kind: [_varied(sample, generator) for sample, _ in zip(cycle(chosen), range(number), strict=False)]
        for kind, chosen, number in (
            ("content", samples[:half], CONTENTS),
            ("style", samples[half:], -(-pairs // CONTENTS)),
        )
    }
    digests: dict[str, list[str]] = {}
    for kind, made in pictures.items():
        for place, picture in enumerate(made):
            write_atomically(folder / kind / f"{kind}-{place:03}.png", _png(picture))
        digests[kind] = [sha256_of(folder / kind / f"{kind}-{place:03}.png") for place in range(len(made))]
    out = folder / "out"
    store, settings = Store(out), Settings(size=SIDE, steps=STEPS, precision="float32")
    store.create()
    layers = judging_layers([*settings.content_layers, *settings.style_layers])
    figures = {}
    drawn: list[tuple[bytes, Mapping[str, float], str]] = []
    with Ledger(out, folder / "rows.yaml", pairs, {}, ["cpu"]) as ledger:
        outcomes = []
        for row in range(pairs):
            style, content = divmod(row, CONTENTS)
            key = hashlib.sha256(f"{row % DISTINCT}".encode()).hexdigest()
            name = f"content-{content:03}-style-{style:03}-{key[:8]}"
            if row < DISTINCT:
                png = _png(Image.blend(pictures["content"][content], pictures["style"][style], 0.5))
                trace = _trace(generator)
                trace.write(store.trace(key))
                write_atomically(out / output_of(name, "png"), png)
                drawn.append((png, trace.steps[-1], name))
            png, last, first = drawn[row % DISTINCT]
            if row >= DISTINCT:
                os.link(out / output_of(first, "png"), out / output_of(name, "png"))
            record = Record(
                key=key,
                **{loss: last[loss] for loss in ("total_loss", "content_loss", "style_loss", "tv_loss")},
                style_loss_by_layer=dict.fromkeys(settings.style_layers, last["style_loss"] / 5),
                optimizer_loss=last["total_loss"],
                structure=float(generator.uniform(0.4, 0.95)),
                steps=STEPS,
                seconds=float(generator.uniform(10, 40)),
                device="cpu",
                width=SIDE,
                height=SIDE * 3 // 4,
                attempts=1,
                output_sha256=hashlib.sha256(png).hexdigest(),
                content_sha256=digests["content"][content],
                style_sha256=digests["style"][style],
                masks_sha256=None,
                weights_sha256="0" * 64,
                settings=settings,
                finished_at=datetime.now(UTC),
            )
            names = f"content/content-{content:03}.png", f"style/style-{style:03}.png"
            outcomes.append(Outcome(row + 1, name, *names, "completed", record))
            judged = Figures(float(generator.uniform(0.1, 0.6)), float(generator.uniform(0.2, 0.9)))
            figures[key, record.output_sha256, ", ".join(layers)] = judged
        ledger.add(outcomes)
    write_traces(outcomes[:DISTINCT], store, out / "traces.parquet")
    write_figures(figures, out / "gallery" / "figures.parquet")


def _sample(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGB").resize((SIDE, SIDE * 3 // 4))


def _varied(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """The same picture in other colours."""
    pixels = np.asarray(picture) * generator.uniform(0.5, 1, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _trace(generator: np.random.Generator) -> Trace:
    scale = generator.uniform(3e3, 2e4)
    losses = scale * np.exp(-np.linspace(0, 3, STEPS)) * generator.uniform(1, 1.1, STEPS)
    return Trace(
        [
            {
                "step": step,
                "seconds": 0.35 * step,
                "total_loss": float(loss),
                "content_loss": float(0.3 * loss),
                "style_loss": float(0.7 * loss),
                "tv_loss": 0.0,
            }
            for step, loss in enumerate(losses, start=1)
        ]
    )


def build(out: Path) -> float:
    """Seconds that `stylebatch gallery` takes."""
    began = time.perf_counter()
    subprocess.run([COMMAND, "gallery", out, "--quiet"], check=True)
    return time.perf_counter() - began


def first_view(browser: Browser, page_file: Path) -> tuple[Page, dict[str, float]]:
    """Open the page in a fresh context: milliseconds until it can be used, and until its pictures are to be seen.

    The processor's time is that of the page's main thread, which depends least on what else the machine does.
    """
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(page_file.as_uri(), wait_until="commit")
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable")
    seen: float = page.evaluate(PAINTED)
    taken = {one["name"]: one["value"] for one in metrics.send("Performance.getMetrics")["metrics"]}
    page.wait_for_load_state("load")
    usable: float = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    spent = 1000 * taken["ThreadTime"]
    return page, {"thumbnails painted": seen, "page interactive": usable, "processor's time until painted": spent}


def write_bare_page(page: Page, file: Path) -> None:
    """A page of nothing but the pictures that the first view asks for at once: what a browser takes for these alone."""
    pictures = page.eval_on_selector_all(
        "main img[loading=eager]", "all => all.map(({ outerHTML, width }) => [outerHTML, width])"
    )
    images = "".join(html.replace("<img", f'<img style="width: {width}px"', 1) for html, width in pictures)
    style = "main { display: flex; flex-wrap: wrap; gap: 4px; height: 100vh; overflow: hidden; } img { height: auto; }"
    file.write_text(f"<!doctype html><meta charset=utf-8><title>-</title><style>{style}</style><main>{images}</main>")


def memory(browser: Browser) -> float:
    """MB that only the pages' processes have."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [psutil.Process(one["id"]) for one in processes if one["type"] == "renderer"]
    return sum(one.memory_full_info().uss for one in pages) / 1e6


def measure(browser: Browser, page_file: Path, times: int) -> None:
    """Print the table's lines of what happens in the browser."""
    bare = page_file.with_name("bare.html")
    page, _ = first_view(browser, page_file)
    write_bare_page(page, bare)
    page.context.close()
    for file, of in ((page_file, ""), (bare, ", the pictures by themselves")):
        views: list[dict[str, float]] = []
        for _ in range(times):
            page, view = first_view(browser, file)
            views.append(view)
            page.context.close()
        for name in views[0]:
            found = [view[name] for view in views]
            print(f"| {name}{of} | {statistics.median(found):.0f} ms (worst of {times}: {max(found):.0f}) |")
    bare.unlink()
    page, _ = first_view(browser, page_file)
    page.wait_for_timeout(3000)
    print(f"| memory of the page's process | {memory(browser):.0f} MB |")
    for name, action in ACTIONS.items():
        print(f"| {name} | {page.evaluate(CHANGED, list(action)):.0f} ms |")
        page.wait_for_timeout(1500)
    print(f"| memory after all that | {memory(browser):.0f} MB |", flush=True)
    page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", nargs="?", type=int, default=5000)
    parser.add_argument("--times", type=int, default=9, help="how often the page is opened")
    parser.add_argument("--folder", type=Path, help="where to work; what is there is used again, and left")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium; get one with: apt-get install chromium")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="stylebatch-gallery-"))
    try:
        if not (folder / "out").exists():
            make_run(folder, arguments.pairs)
        page_file = folder / "out/gallery/index.html"
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        print(f"| a gallery of {arguments.pairs:,} pairs | |\n|---|---|")
        print(f"| written by the command, without judging | {build(folder / 'out'):.1f} s |")
        print(f"| written again, nothing new | {build(folder / 'out'):.1f} s |")
        print(f"| index.html | {page_file.stat().st_size / 1e6:.1f} MB |")
        total = sum(file.stat().st_size for file in page_file.parent.rglob("*") if file.is_file())
        print(f"| whole folder | {total / 1e6:.0f} MB |", flush=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            print(f"| Chromium | {browser.version} |")
            measure(browser, page_file, arguments.times)
            browser.close()
    finally:
        if not arguments.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
