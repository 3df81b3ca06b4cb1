"use strict";
// Long lists: only what is near the window is made. What is far away is an empty box as high as it was, or may be.

const BAND = 8; // columns, about as many as a window has
const DECODING = 200; // ms from when pictures are there until they are seen: what is near would be made in their way
let chunks = []; // of the view that is shown
let nearby = null; // sees chunks come near the window, and go
let beside = null; // the same of bands, which stay
const makers = new WeakMap();

/** Has the window watched: at first for what is seen alone, since what is near would be loaded at the same time. */
function watch(margin) {
  const root = document.getElementById("main");
  nearby?.disconnect();
  beside?.disconnect();
  nearby = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? fill(entry.target) : empty(entry.target);
  }, { root, rootMargin: `${margin}px 0px` });
  beside = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      fill(target);
      beside.unobserve(target);
    }
  }, { root, rootMargin: `${margin}px` });
  chunks.forEach((chunk) => nearby.observe(chunk));
  document.querySelectorAll(".band").forEach((band) => beside.observe(band));
}

function fill(box) {
  if (box.childElementCount) return;
  box.append(...makers.get(box)());
  box.style.minHeight = "";
}

function empty(chunk) {
  if (!chunk.childElementCount || chunk.contains(document.activeElement)) return;
  chunk.style.minHeight = `${chunk.offsetHeight}px`;
  chunk.querySelectorAll(".band").forEach((band) => beside.unobserve(band));
  chunk.replaceChildren();
}

/**
 * Appends boxes for all items to `owner`, the first with its content.
 * `box` makes an empty one, `make` the element of an item and its place, `height` is a guess in pixels for one item.
 */
function appendInChunks(owner, items, size, height, box, make) {
  nearby.disconnect();
  chunks = [];
  for (let start = 0; start < items.length; start += size) {
    const here = items.slice(start, start + size);
    const chunk = box(start);
    chunk.style.minHeight = `${height * here.length}px`;
    makers.set(chunk, () => here.map((item, at) => make(item, start + at)));
    chunks.push(chunk);
  }
  if (chunks.length) fill(chunks[0]);
  owner.append(...chunks);
  chunks.forEach((chunk) => nearby.observe(chunk));
}

/**
 * Makes what the window has room for, and asks for its pictures, before there is a frame without them: those out of
 * sight wait for that frame, as lazy ones do.
 */
function fillWindow() {
  if (!chunks[0]?.isConnected) return;
  const root = document.getElementById("main");
  const { bottom, right } = root.getBoundingClientRect();
  const { top, height } = chunks[0].getBoundingClientRect();
  chunks.slice(1, Math.ceil((bottom - top) / height)).forEach(fill);
  for (const image of root.querySelectorAll("img")) {
    const { top, left } = image.getBoundingClientRect();
    if (top < bottom && left < right) image.loading = "eager";
  }
}

/** The columns of a row in bands: boxes, of which the first has its cells at once, and any other near the window. */
function inBands(columns, makeCell) {
  const bands = [];
  for (let start = 0; start < columns.length; start += BAND) {
    const here = columns.slice(start, start + BAND);
    const band = make("div", { className: "band", role: "none" });
    band.style.gridColumn = `span ${here.length}`;
    makers.set(band, () => here.map(makeCell));
    start ? beside.observe(band) : fill(band);
    bands.push(band);
  }
  return bands;
}

/** Makes what lies beside an element's own chunk and band: keys may be quicker than the window. */
function fillBeside(element) {
  const besides = (own) => [own?.previousElementSibling, own?.nextElementSibling].filter((box) => makers.has(box));
  besides(element.closest(".band")).forEach(fill);
  for (const chunk of besides(chunks.find((one) => one.contains(element)))) {
    fill(chunk);
    nearby.unobserve(chunk); // so that it is looked at anew, and emptied where no key went there
    nearby.observe(chunk);
  }
}

/** What another row has in the column of an element; of rows that are not in bands, the row itself. */
function inColumnOf(element, row) {
  const band = element.closest(".band");
  if (!band) return row;
  const other = row.children[[...band.parentElement.children].indexOf(band)];
  fill(other); // one row may have bands made that another has not
  return other.children[[...band.children].indexOf(element.closest(".cell"))];
}

watch(0);
addEventListener("load", () => setTimeout(() => watch(500), DECODING));
// Paper has no window: everything is on it.
addEventListener("beforeprint", () => {
  nearby.disconnect();
  chunks.forEach(fill);
  document.querySelectorAll(".band").forEach(fill);
});
addEventListener("afterprint", () => chunks.forEach((chunk) => nearby.observe(chunk)));
