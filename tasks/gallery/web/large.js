"use strict";
// One pair large: content and result below a slider, or all three pictures at once, with figures and siblings.

const large = document.getElementById("large");
const stage = document.getElementById("stage");
const facts = document.getElementById("facts");
let visible = []; // the pairs as they are shown, for the arrows
let current = null;
let panes = [];
const wipe = makeWipe(large, 50);
let apart = false; // content, style and result at once, instead of below a slider
let show = 0; // the slide show's timer

function table(caption, rows) {
  return make("table", {}, make("caption", { textContent: caption }), make("tbody", {}, ...rows.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { textContent: value })))));
}

function named(pane, text) {
  return make("figure", {}, pane, make("figcaption", { textContent: text }));
}

/** A style as large as there is a copy of it. It has a shape of its own, and is zoomed by itself. */
function stylePane(one, longer) {
  const file = one.picture && address(one.picture, longer);
  return file ? makePane(file, one.label, one.width, one.height) : { frame: thumbnail(one, one.label), start() {}, stop() {} };
}

function pictures(pair) {
  const longer = Math.max(pair.width, pair.height);
  const { content, styles } = originals(pair);
  const result = resultFile(pair);
  if (!result) {
    return [make("p", { className: "error", textContent: pair.error || "the picture is not there" }),
      thumbnail(content, content.label), ...styles.map((style) => thumbnail(style, style.label))];
  }
  const source = content.picture && address(content.picture, longer);
  const before = source && { source, alt: `content: ${content.label}` };
  const main = makePane(result, describe(pair), pair.width, pair.height, apart ? null : before, wipe);
  panes = [main];
  const parts = [];
  if (apart) {
    if (before) panes.push(makePane(source, before.alt, pair.width, pair.height));
    together([...panes]);
    const shown = panes.slice(1).map((pane) => named(pane.frame, content.label));
    for (const style of styles) {
      panes.push(stylePane(style, longer));
      shown.push(named(panes.at(-1).frame, style.label));
    }
    parts.push(make("div", { className: "panes" }, ...shown, named(main.frame, data.presentation ? describe(pair) : "result")));
  } else {
    parts.push(main.frame);
  }
  const tools = paneButtons(panes);
  tools.append(make("a", { href: result, textContent: data.presentation ? "the picture's file" : "result as it was written" }));
  parts.push(tools);
  if (!apart) {
    parts.push(make("div", { className: "originals" }, ...[content, ...styles].map((one) => named(thumbnail(one, ""), one.label))));
  }
  return parts;
}

/** The same pair with other settings or of another run: looked at in the same place, with the same zoom. */
function variants(pair) {
  const others = siblings(pair);
  if (others.length < 2) return [];
  return [make("h3", { textContent: "The same pair (X: the next of them, in place)" }),
    make("div", { className: "siblings" }, ...others.map((one) => {
      const button = resultButton(one, data.presentation ? null : others[0]);
      button.append(make("span", { className: "caption", textContent: differences(one).join(" · ") }));
      if (one === pair) button.setAttribute("aria-current", "true");
      return button;
    }))];
}

function noteField(pair) {
  const text = make("input", { type: "text", id: "remark", maxLength: 500, value: picks.get(keyOf(pair)) ?? "", placeholder: "a note" });
  text.addEventListener("input", () => setNote(pair, text.value));
  return make("div", { className: "pick" }, markButton(pair, "star", "★", "Pick (S)", isPicked(pair)),
    make("label", {}, "Note (N) ", text));
}

function showPair(pair) {
  const isVariant = current && pair !== current && pair.content === current.content && pair.style === current.style;
  const place = isVariant && panes.length ? panes[0].where() : null;
  for (const pane of panes) pane.stop();
  panes = [];
  current = pair;
  document.getElementById("large-title").textContent = titleOf(pair);
  document.getElementById("place").textContent = `${visible.indexOf(pair) + 1} of ${visible.length}`;
  document.getElementById("apart").ariaPressed = String(apart);
  stage.replaceChildren(...pictures(pair));
  facts.replaceChildren(noteField(pair));
  if (!data.presentation) facts.append(make("p", {}, describe(pair)), make("p", { className: pair.status, textContent: pair.status }));
  facts.append(...variants(pair));
  const known = data.figures.filter((figure) => numberOf(pair, figure.name) !== null);
  if (known.length) facts.append(table("Figures", known.map((figure) => [figure.label, formatted(numberOf(pair, figure.name))])));
  if (data.curves) {
    const room = make("div");
    facts.append(room);
    appendCurve(pair, room);
  }
  const settings = Object.entries(data.settings[pair.settings] ?? {}).sort(([a], [b]) => (b in data.values) - (a in data.values));
  if (settings.length && !data.presentation) facts.append(table("Settings", settings));
  if (!large.open) large.showModal();
  for (const pane of panes) pane.start();
  if (place && panes.length) panes[0].follow(place);
  if (isVariant) facts.querySelector("[aria-current]")?.focus();
  else document.getElementById("large-title").focus();
}

function move(by) {
  const next = visible[visible.indexOf(current) + by];
  if (next) visit({ pair: keyOf(next) }, true);
  return Boolean(next);
}

function exchange() {
  const others = siblings(current);
  visit({ pair: keyOf(others[(others.indexOf(current) + 1) % others.length]) }, true);
}

function slideShow(on) {
  clearInterval(show);
  show = on ? setInterval(() => { if (!move(1)) slideShow(false); }, 4000) : 0;
  document.getElementById("slides").ariaPressed = String(on);
}

function fullScreen(frame) {
  if (document.fullscreenElement) document.exitFullscreen();
  else frame.requestFullscreen();
}

const LARGE_KEYS = {
  ArrowLeft: () => move(-1), ArrowRight: () => move(1), x: exchange, t: () => document.getElementById("apart").click(),
  f: () => fullScreen(large.firstElementChild), " ": () => slideShow(!show), n: () => document.getElementById("remark").focus(),
};
document.getElementById("previous").addEventListener("click", () => move(-1));
document.getElementById("next").addEventListener("click", () => move(1));
document.getElementById("slides").addEventListener("click", () => slideShow(!show));
document.getElementById("full").addEventListener("click", () => fullScreen(large.firstElementChild));
document.getElementById("apart").addEventListener("click", () => { apart = !apart; showPair(current); });
document.getElementById("close").addEventListener("click", closeDialogs);
large.addEventListener("cancel", (event) => { event.preventDefault(); closeDialogs(); });
large.addEventListener("keydown", (event) => {
  if (event.target.matches("input:not(.slider)") || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = event.target.matches(".slider") && event.key.startsWith("Arrow") ? null : LARGE_KEYS[event.key];
  if (!act && !paneKey(event.key, panes, wipe)) return;
  if (event.key === " " && event.target.matches("button")) return;
  event.preventDefault();
  act?.();
});

shows.push(() => {
  const pair = state.pair && pairOf(state.pair);
  if (pair) {
    if (pair !== current || !large.open) showPair(pair);
  } else if (large.open) {
    slideShow(false);
    large.close();
    for (const pane of panes) pane.stop();
    panes = [];
    const left = current;
    current = null;
    document.querySelector(`main [data-pair="${left.index}"]`)?.focus();
  }
});
