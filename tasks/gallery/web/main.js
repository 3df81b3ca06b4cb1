"use strict";
// The views, the theme, and the keys and clicks outside the dialogs.

const main = document.getElementById("main");
const note = document.getElementById("note");

/** Says which figures do not compare here, instead of comparing them. */
function warn() {
  const figure = shownFigure();
  const between = figure ? obstacles(figure, visible) : [];
  note.hidden = !between.length || state.view === "summary";
  if (note.hidden) return;
  const label = data.figures.find((one) => one.name === figure).label;
  const within = figuresOf(order.value).length && state.view === "list" ? ` Each ${between.join(", ")} is ranked by itself.` : "";
  note.textContent = `The ${label} does not compare between results that differ in ${between.join(", ")}.${within}`;
}

function render() {
  visible = chosenPairs();
  warn();
  const content = state.view === "summary" ? document.getElementById("summary").content.cloneNode(true)
    : !visible.length ? make("p", { className: "empty", textContent: "No result is like that." })
    : state.view === "matrix" ? matrix(visible) : list(visible);
  main.replaceChildren(content);
  main.scrollTo(0, 0);
  document.getElementById("count").textContent = `${visible.length} of ${data.pairs.length} results`;
  document.getElementById("picked").ariaPressed = String(Boolean(state.picked));
  for (const button of document.querySelectorAll("[data-view]")) button.ariaPressed = String(button.dataset.view === state.view);
}

shows.unshift((before) => { if (before.view !== state.view || before.picked !== state.picked) render(); });
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => { if (state.view !== button.dataset.view) visit({ view: button.dataset.view }); });
}
document.getElementById("picked").addEventListener("click", () => visit({ picked: state.picked ? "" : "only" }));
form.addEventListener("input", render);
form.addEventListener("reset", () => setTimeout(render));
document.getElementById("controls").open = matchMedia("(min-width: 700px)").matches && !data.presentation;
document.getElementById("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});

document.addEventListener("click", (event) => {
  const { star, versus, pair } = event.target.closest("[data-star], [data-versus], [data-pair]")?.dataset ?? {};
  if (star) togglePick(data.pairs[star]);
  if (versus) toggleCompared(data.pairs[versus]);
  if (pair) visit({ pair: keyOf(data.pairs[pair]) }, large.open);
});
document.addEventListener("keydown", (event) => {
  const here = event.target.closest("[data-pair], #large");
  if (!here || event.target.matches("input:not(.slider)") || event.ctrlKey || event.metaKey || event.altKey) return;
  const pair = here.dataset.pair ? data.pairs[here.dataset.pair] : current;
  if (!pair.picture) return;
  if (event.key === "s") togglePick(pair);
  if (event.key === "c") toggleCompared(pair);
  if (event.key === "n" && here.dataset.pair && !large.open) {
    visit({ pair: keyOf(pair) });
    document.getElementById("remark").focus();
    event.preventDefault();
  }
});
main.addEventListener("keydown", (event) => {
  const here = event.target.closest("[data-pair]");
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!here || !by) return;
  fillBeside(here);
  const rows = [...main.querySelectorAll(".row:not(.top), .list > li")].map((row) => [...row.querySelectorAll("[data-pair]")]);
  const down = rows.findIndex((row) => row.includes(here));
  const next = rows[down + by[0]]?.[rows[down].indexOf(here) + by[1]];
  if (next) { event.preventDefault(); next.focus(); }
});

Object.assign(state, readAddress());
render();
showPicks();
for (const show of shows.slice(1)) show(state);
