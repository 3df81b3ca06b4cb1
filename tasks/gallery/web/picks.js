"use strict";
// Picks: a star and a note a result, kept by the browser, and given back as a manifest.

const SHELF = `stylebatch picks ${data.gallery}`;
let picks = new Map(); // key to note

function readPicks() {
  try {
    picks = new Map(Object.entries(JSON.parse(localStorage.getItem(SHELF) ?? "{}")));
  } catch { /* a browser that keeps nothing for pages from disk: the picks last as long as the page */ }
}

function keepPicks() {
  try {
    localStorage.setItem(SHELF, JSON.stringify(Object.fromEntries(picks)));
  } catch { /* as above */ }
  showPicks();
}

function isPicked(pair) {
  return picks.has(keyOf(pair));
}

function togglePick(pair) {
  if (!picks.delete(keyOf(pair))) picks.set(keyOf(pair), "");
  keepPicks();
}

/** A note picks, too. */
function setNote(pair, text) {
  picks.set(keyOf(pair), text);
  keepPicks();
}

function pickedPairs() {
  return [...picks.keys()].map(pairOf).filter(Boolean);
}

function field(text) {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A manifest of a run's picks, with the settings that their results have. */
function manifestOf(pairs) {
  const settings = data.manifest.filter((name) => pairs.some((pair) => valueOf(pair, name)));
  const rows = pairs.map((pair) => [pair.id, data.names[pair.contentName], data.names[pair.styleName],
    ...settings.map((name) => valueOf(pair, name)), picks.get(keyOf(pair))]);
  return [["id", "content", "style", ...settings, "note"], ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function download(name, text) {
  const file = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: file, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(file), 60000);
}

/** The count, the downloads (one a run, since a manifest is one run's), and the stars that are on the page. */
function showPicks() {
  const found = pickedPairs();
  const panel = document.getElementById("picks");
  document.getElementById("picked").textContent = `★ ${found.length} picked`;
  const byRun = groupedBy(found, (pair) => pair.run);
  const buttons = [...byRun].map(([run, members]) => {
    const name = data.runs.length > 1 ? `picks-${data.runs[run].name.replaceAll("/", "-")}.csv` : "picks.csv";
    const button = make("button", { type: "button", textContent: `Download ${name}` });
    button.addEventListener("click", () => download(name, manifestOf(members)));
    return button;
  });
  const masked = found.some((pair) => pair.masked) ? " The masks of some are not in the file: keep to reprocess for these." : "";
  panel.replaceChildren(...buttons, make("span", { textContent: data.presentation
    ? "Send this file back to say which ones you chose."
    : `For stylebatch run, beside the manifest, or stylebatch reprocess RUN --only picks.csv.${masked}` }));
  panel.hidden = !found.length;
  for (const star of document.querySelectorAll("[data-star]")) star.ariaPressed = String(isPicked(data.pairs[star.dataset.star]));
}

addEventListener("storage", (event) => { if (event.key === SHELF) { readPicks(); showPicks(); } });
readPicks();
