"use strict";
// The loss over the optimizer's steps, as SVG with a logarithmic scale. Curves lie beside the page, many in a file.

const curvePieces = new Map(); // number of a piece to its lines
const waiting = new Map(); // number of a piece to what waits for it

// A page from disk may load scripts and nothing else: each piece is a script that calls this.
window.curvesArrived = (number, lines) => {
  curvePieces.set(number, lines.split("\n"));
  waiting.get(number)?.();
};

// Only addresses of our own become scripts.
const trusted = window.trustedTypes?.createPolicy("curves", {
  createScriptURL: (name) => {
    if (!/^curves\/\d+\.js$/.test(name)) throw new TypeError(`${name} is no piece of the curves`);
    return name;
  },
});

function appendCurve(pair, room) {
  const number = Math.floor(pair.index / data.curves);
  const draw = () => {
    const drawn = pair === current && curve(JSON.parse(curvePieces.get(number)[pair.index % data.curves]));
    if (drawn) room.replaceChildren(make("h3", { textContent: "Loss by step" }), drawn);
  };
  if (curvePieces.has(number)) {
    draw();
    return;
  }
  const asked = waiting.has(number);
  waiting.set(number, draw);
  if (asked) return;
  const name = `curves/${number}.js`;
  document.head.append(make("script", { src: trusted ? trusted.createScriptURL(name) : name }));
}

function svg(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

function curve(found) {
  if (!found || found.step.length < 2) return null;
  const names = ["total_loss", "content_loss", "style_loss"];
  const logs = names.flatMap((name) => found[name]).filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.min(...logs), Math.max(...logs) + 1e-9];
  const [first, last] = [found.step[0], found.step.at(-1)];
  const x = (step) => 46 + 300 * (step - first) / (last - first);
  const y = (value) => 10 + 120 * (high - Math.log10(value)) / (high - low);
  const drawn = svg("svg", { viewBox: "0 0 360 160", class: "curve", role: "img",
    "aria-label": `total loss over ${last} steps, from ${formatted(found.total_loss[0])} to ${formatted(found.total_loss.at(-1))}` });
  for (const power of [low, (low + high) / 2, high]) {
    const height = y(10 ** power);
    drawn.append(svg("line", { x1: 46, x2: 346, y1: height, y2: height }),
      svg("text", { x: 42, y: height + 3, "text-anchor": "end" }, formatted(Number((10 ** power).toPrecision(2)))));
  }
  drawn.append(svg("text", { x: 46, y: 146 }, `step ${first}`), svg("text", { x: 346, y: 146, "text-anchor": "end" }, String(last)));
  names.forEach((name, index) => {
    const points = found.step.map((step, at) => [step, found[name][at]]).filter(([, value]) => value > 0);
    drawn.append(svg("polyline", { class: name, points: points.map(([step, value]) => `${x(step)},${y(value)}`).join(" ") }),
      svg("text", { x: 130 + 60 * index, y: 158, class: name }, name.replace("_loss", "")));
  });
  return drawn;
}
