"use strict";
// Two to four results side by side, zoomed and moved as one, with one slider to their contents.

const MOST = 4;
const versus = document.getElementById("versus");
const tray = document.getElementById("tray");
let compared = []; // chosen, in the order in which they were
const versusWipe = makeWipe(versus, 0); // results are compared, and a content only where one asks for it
let versusPanes = [];

function toggleCompared(pair) {
  compared = compared.includes(pair) ? compared.filter((one) => one !== pair) : [...compared, pair].slice(-MOST);
  showTray();
}

function showTray() {
  tray.hidden = !compared.length;
  document.getElementById("tray-text").textContent = compared.length < 2 ? "1 to compare; choose another" : `${compared.length} to compare`;
  document.getElementById("tray-open").disabled = compared.length < 2;
  for (const box of document.querySelectorAll("[data-versus]")) box.ariaPressed = String(compared.includes(data.pairs[box.dataset.versus]));
}

function showVersus(pairs) {
  const made = pairs.map((pair) => {
    const { content } = originals(pair);
    const source = content.picture && address(content.picture, Math.max(pair.width, pair.height));
    return makePane(resultFile(pair), describe(pair), pair.width, pair.height, source && { source, alt: `content: ${content.label}` }, versusWipe);
  });
  for (const pane of versusPanes) pane.stop();
  versusPanes = made;
  together(made);
  document.getElementById("versus-stage").replaceChildren(paneButtons(made), make("div", { className: "panes" }, ...made.map((pane, at) => {
    const pair = pairs[at];
    const figure = data.figures.find((one) => one.name === shownFigure());
    const said = [data.presentation || data.runs.length < 2 ? "" : data.runs[pair.run].name, describe(pair), ...differences(pair)].filter(Boolean);
    if (figure) said.push(`${figure.label} ${formatted(numberOf(pair, figure.name))}`);
    return make("figure", {}, pane.frame, make("figcaption", {}, markButton(pair, "star", "★", "Pick", isPicked(pair)), ` ${said.join(" · ")}`));
  })));
  if (!versus.open) versus.showModal();
  for (const pane of made) pane.start();
  document.getElementById("versus-title").focus();
}

document.getElementById("tray-open").addEventListener("click", () => visit({ pair: "", compare: compared.map(keyOf).join("|") }));
document.getElementById("tray-clear").addEventListener("click", () => { compared = []; showTray(); });
document.getElementById("versus-close").addEventListener("click", closeDialogs);
document.getElementById("versus-full").addEventListener("click", () => fullScreen(versus.firstElementChild));
versus.addEventListener("cancel", (event) => { event.preventDefault(); closeDialogs(); });
versus.addEventListener("keydown", (event) => {
  if (event.key === "f") fullScreen(versus.firstElementChild);
  else if (event.target.matches(".slider") && event.key.startsWith("Arrow")) return;
  else if (!paneKey(event.key, versusPanes, versusWipe)) return;
  event.preventDefault();
});

shows.push((before) => {
  const pairs = state.compare.split("|").map(pairOf).filter((pair) => pair && resultFile(pair)).slice(0, MOST);
  if (pairs.length > 1) {
    if (state.compare !== before.compare || !versus.open) showVersus(pairs);
  } else if (versus.open) {
    versus.close();
    for (const pane of versusPanes) pane.stop();
    versusPanes = [];
  }
});
