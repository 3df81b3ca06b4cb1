"use strict";
// A picture to look at closely: zoomed and moved by wheel, fingers and keys, by Panzoom.

const PIXEL = 8; // screen pixels of a picture's pixel, at most

/**
 * A picture of `width` × `height`; with `before` ({ source, alt }), that is shown to the left of `wipe`.
 * It has to be in the document when `start` is called; `stop` takes away what that left there.
 */
function makePane(source, alt, width, height, before = null, wipe = null) {
  const image = make("img", { src: source, alt, width, height, draggable: false });
  const frame = make("div", { className: "pane" }, image);
  frame.style.setProperty("--ratio", width / height);
  const cover = before && make("img", { src: before.source, alt: before.alt, draggable: false });
  if (cover) frame.append(make("div", { className: "cover" }, cover), ...wipeParts(wipe));
  const pane = { frame, image, changed: () => {} };
  let zoom = null;
  const still = { animate: false }; // the content moves with the result, and other panes with this one
  const settle = () => {
    const scale = zoom.getScale();
    frame.classList.toggle("zoomed", scale > 1);
    frame.classList.toggle("pixels", scale * image.clientWidth > 2 * image.naturalWidth);
    zoom.setOptions({ touchAction: scale > 1 ? "none" : "pan-y" });
    if (cover) cover.style.transform = image.style.transform;
  };
  pane.start = () => {
    zoom = Panzoom(image, { minScale: 1, contain: "outside", step: 0.4, panOnlyWhenZoomed: true, excludeClass: "grip",
      maxScale: Math.max(4, PIXEL * width / image.clientWidth), cursor: "inherit", touchAction: "pan-y" });
    pane.zoom = zoom;
    image.addEventListener("panzoomchange", () => { settle(); pane.changed(); });
    frame.addEventListener("wheel", (event) => zoom.zoomWithWheel(event, still), { passive: false });
    if (cover) dragsWipe(frame, wipe, () => zoom.getScale() > 1);
  };
  pane.stop = () => zoom?.destroy();
  pane.larger = () => zoom.zoomIn(still);
  pane.smaller = () => zoom.zoomOut(still);
  pane.whole = () => zoom.reset(still);
  pane.toPixels = () => zoom.zoom(Math.max(1, image.naturalWidth / devicePixelRatio / image.clientWidth), still);
  /** Goes to where another pane is, or to a place that `where` gave. */
  pane.follow = ({ scale, x, y }) => {
    zoom.zoom(scale, { ...still, silent: true });
    zoom.pan(x * image.clientWidth, y * image.clientWidth, { ...still, silent: true, force: true });
    requestAnimationFrame(settle);
  };
  pane.where = () => {
    const { x, y } = zoom.getPan();
    return { scale: zoom.getScale(), x: x / image.clientWidth, y: y / image.clientWidth };
  };
  return pane;
}

/** Panes that are zoomed and moved as one. */
function together(panes) {
  for (const pane of panes) {
    pane.changed = () => panes.forEach((other) => { if (other !== pane) other.follow(pane.where()); });
  }
}

/** Does what a key means wherever panes are shown; whether it means something. */
function paneKey(key, [pane], wipe) {
  const keys = { "+": () => pane.larger(), "=": () => pane.larger(), "-": () => pane.smaller(), 0: () => pane.whole(),
    1: () => pane.toPixels(), "<": () => wipe.to(wipe.place - 5), ">": () => wipe.to(wipe.place + 5) };
  if (pane) keys[key]?.();
  return key in keys;
}

function toolButton(textContent, title, act) {
  const button = make("button", { type: "button", textContent, ariaLabel: title, title });
  button.addEventListener("click", act);
  return button;
}

/** The buttons that do what the keys do. */
function paneButtons([pane]) {
  return make("div", { className: "tools", role: "group", ariaLabel: "Zoom" },
    toolButton("+", "Zoom in (+)", () => pane.larger()), toolButton("−", "Zoom out (-)", () => pane.smaller()),
    toolButton("fit", "Whole picture (0)", () => pane.whole()), toolButton("1:1", "Pixel by pixel (1)", () => pane.toPixels()));
}
