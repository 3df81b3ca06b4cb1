"use strict";
// The slider's place in a dialog: the same in all its pictures, and kept from one to the next.

/** `to` brings it to so many per cent of the width; what is to its left is the content. */
function makeWipe(dialog, start) {
  const wipe = { place: start };
  wipe.to = (place) => {
    wipe.place = Math.max(0, Math.min(100, place));
    dialog.style.setProperty("--wipe", `${wipe.place}%`);
    for (const slider of dialog.querySelectorAll(".slider")) slider.value = wipe.place;
  };
  wipe.to(start);
  return wipe;
}

/** What is seen and used of it in a picture. A keyboard uses the input, which has no look of its own. */
function wipeParts(wipe) {
  const slider = make("input", { type: "range", className: "slider", min: 0, max: 100, value: wipe.place,
    ariaLabel: "How much of the content is shown, in per cent" });
  slider.addEventListener("input", () => wipe.to(Number(slider.value)));
  return [make("div", { className: "edge" }), slider, make("div", { className: "grip", textContent: "⇔", ariaHidden: "true" })];
}

/** The grip is dragged, and so is the picture itself, as long as that is not what moves the picture. */
function dragsWipe(frame, wipe, isZoomed) {
  const drag = (event) => {
    const { left, width } = frame.getBoundingClientRect();
    wipe.to(100 * (event.clientX - left) / width);
  };
  frame.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button || (isZoomed() && !event.target.matches(".grip"))) return;
    drag(event);
    const end = () => removeEventListener("pointermove", drag);
    addEventListener("pointermove", drag);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }, true); // before Panzoom, which lets nothing through
}
