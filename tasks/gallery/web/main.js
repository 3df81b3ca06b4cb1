"use strict";
// The views, the theme, and the keys outside the dialog.

const main = document.getElementById("main");
const note = document.getElementById("note");
let view = data.view;

/** Says which figures do not compare here, instead of comparing them. */
function warn() {
  const figure = order.value || "total_loss";
  const between = obstacles(figure);
  note.hidden = !between.length || view === "summary";
  const label = data.figures.find((one) => one.name === figure)?.label;
  note.textContent = `The ${label} does not compare between results that differ in ${between.join(", ")}.`;
}

function render() {
  visible = chosenPairs();
  warn();
  const content = view === "summary" ? document.getElementById("summary").content.cloneNode(true)
    : !visible.length ? make("p", { className: "empty", textContent: "No result is like that." })
    : view === "matrix" ? matrix(visible) : list(visible);
  main.replaceChildren(content);
  document.getElementById("count").textContent = `${visible.length} of ${data.pairs.length} results`;
  for (const button of document.querySelectorAll("[data-view]")) button.ariaPressed = String(button.dataset.view === view);
}

for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => { view = button.dataset.view; render(); });
}
form.addEventListener("input", render);
form.addEventListener("reset", () => setTimeout(render));
document.getElementById("controls").open = matchMedia("(min-width: 700px)").matches;
document.getElementById("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
main.addEventListener("keydown", (event) => {
  const here = event.target.closest("[data-pair]");
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!here || !by) return;
  const rows = [...main.querySelectorAll(".row:not(.top), .list > li")].map((row) => [...row.querySelectorAll("[data-pair]")]);
  const down = rows.findIndex((row) => row.includes(here));
  const next = rows[down + by[0]]?.[rows[down].indexOf(here) + by[1]];
  if (next) { event.preventDefault(); next.focus(); }
});
render();
