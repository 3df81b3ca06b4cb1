"use strict";
// One pair large: a slider that wipes between content and result, its figures, settings, and its siblings.

const dialog = document.getElementById("large");
const stage = document.getElementById("stage");
const facts = document.getElementById("facts");
let visible = []; // the pairs as they are shown, for the arrows
let current = null;

function table(caption, rows) {
  return make("table", {}, make("caption", { textContent: caption }), make("tbody", {}, ...rows.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { textContent: value })))));
}

function wipe(pair) {
  const longer = Math.max(pair.width, pair.height);
  const { content, styles } = originals(pair);
  const result = pair.picture && address(pair.picture);
  if (!result) {
    stage.replaceChildren(make("p", { className: "error", textContent: pair.error || "the picture is not there" }),
      thumbnail(content, content.label), ...styles.map((style) => thumbnail(style, style.label)));
    return;
  }
  const before = content.picture && address(content.picture, longer);
  const frame = make("div", { className: "wipe" }, make("img", { src: result, alt: describe(pair), width: pair.width, height: pair.height }));
  frame.style.setProperty("--ratio", pair.width / pair.height);
  const show = (value) => frame.style.setProperty("--wipe", `${value}%`);
  if (before) {
    const slider = make("input", { type: "range", id: "wipe", min: 0, max: 100, value: 0, ariaLabel: "How much of the content is shown, in per cent" });
    slider.addEventListener("input", () => show(slider.value));
    frame.append(make("img", { src: before, alt: `content: ${content.label}`, className: "before" }), slider);
  }
  show(0);
  const strip = make("div", { className: "originals" });
  for (const [kind, one] of [["content", content], ...styles.map((style) => ["style", style])]) {
    const file = one.picture && address(one.picture, longer);
    const picture = thumbnail(one, `${kind}: ${one.label}`);
    strip.append(make("figure", {}, file ? make("a", { href: file }, picture) : picture,
      make("figcaption", { textContent: `${kind}: ${one.label}` })));
  }
  strip.append(make("figure", {}, make("a", { href: result, textContent: "result as it was written" })));
  stage.replaceChildren(frame, strip);
}

function siblings(pair) {
  return data.pairs.filter((one) => one.content === pair.content && one.style === pair.style);
}

function open(pair) {
  current = pair;
  document.getElementById("large-title").textContent = pair.id;
  document.getElementById("place").textContent = `${visible.indexOf(pair) + 1} of ${visible.length}`;
  wipe(pair);
  facts.replaceChildren(make("p", {}, describe(pair)), make("p", { className: pair.status, textContent: pair.status }));
  const known = data.figures.filter((figure) => numberOf(pair, figure.name) !== null);
  if (known.length) facts.append(table("Figures", known.map((figure) => [figure.label, formatted(numberOf(pair, figure.name))])));
  const drawn = curve(pair);
  if (drawn) facts.append(make("h3", { textContent: "Loss by step" }), drawn);
  const others = siblings(pair);
  if (others.length > 1) {
    facts.append(make("h3", { textContent: "The same pair" }), make("div", { className: "siblings" }, ...others.map((one) => {
      const button = resultButton(one, others[0]);
      button.append(make("span", { className: "caption", textContent: differences(one).join(" · ") }));
      if (one === pair) button.setAttribute("aria-current", "true");
      return button;
    })));
  }
  const settings = Object.entries(data.settings[pair.settings] ?? {});
  if (settings.length) facts.append(table("Settings", settings.sort(([a], [b]) => (b in data.values) - (a in data.values))));
  if (!dialog.open) dialog.showModal();
  document.getElementById("large-title").focus();
}

function move(by) {
  const next = visible[visible.indexOf(current) + by];
  if (next) open(next);
}

document.getElementById("previous").addEventListener("click", () => move(-1));
document.getElementById("next").addEventListener("click", () => move(1));
document.getElementById("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by && event.target.type !== "range") { event.preventDefault(); move(by); }
});
dialog.addEventListener("close", () => document.querySelector(`main [data-pair="${current.index}"]`)?.focus());
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pair]");
  if (button) open(data.pairs[button.dataset.pair]);
});
