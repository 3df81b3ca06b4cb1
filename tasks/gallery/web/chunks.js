"use strict";
// Long lists: only what is near the window is made. What is far away is an empty box as high as it was, or may be.

let chunks = []; // of the view that is shown
const nearby = new IntersectionObserver((entries) => {
  for (const entry of entries) entry.isIntersecting ? fill(entry.target) : empty(entry.target);
}, { root: document.getElementById("main"), rootMargin: "500px 0px" });
const makers = new WeakMap();

function fill(chunk) {
  if (chunk.childElementCount) return;
  chunk.append(...makers.get(chunk)());
  chunk.style.minHeight = "";
}

function empty(chunk) {
  if (!chunk.childElementCount || chunk.contains(document.activeElement)) return;
  chunk.style.minHeight = `${chunk.offsetHeight}px`;
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

// Paper has no window: everything is on it.
addEventListener("beforeprint", () => { nearby.disconnect(); chunks.forEach(fill); });
addEventListener("afterprint", () => chunks.forEach((chunk) => nearby.observe(chunk)));
