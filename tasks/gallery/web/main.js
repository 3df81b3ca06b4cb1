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
  fillWindow();
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
  const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!here || !(across || down)) return;
  fillBeside(here);
  const rows = [...main.querySelectorAll(".row:not(.top), .list > li")];
  const own = rows.find((row) => row.contains(here));
  let next = null;
  if (across) {
    const results = [...own.querySelectorAll("[data-pair]")];
    next = results[results.indexOf(here) + across];
  } else { // a row may have no result in this column
    for (let at = rows.indexOf(own) + down; !next && rows[at]; at += down) next = inColumnOf(here, rows[at])?.querySelector("[data-pair]");
  }
  if (next) { event.preventDefault(); next.focus(); }
});

Object.assign(state, readAddress());
render();
showPicks();
for (const show of shows.slice(1)) show(state);
