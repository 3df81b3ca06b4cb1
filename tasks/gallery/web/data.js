"use strict";
// What the page shows. `data` is as tasks/gallery/collection.py writes it; a pair is one row of a report.

const data = JSON.parse(document.getElementById("data").textContent);
data.pairs.forEach((pair, index) => { pair.index = index; });

/** A new element: properties are set as properties, so that text is text and never markup. */
function make(tag, properties = {}, ...children) {
  const { dataset = {}, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** A pair's value of a dimension: content and style by their place, a setting by its text; empty if not known. */
function valueOf(pair, dimension) {
  if (dimension === "content" || dimension === "style") return String(pair[dimension]);
  if (dimension === "run") return data.runs[pair.run].name;
  return data.settings[pair.settings]?.[dimension] ?? "";
}

function labelOf(dimension, value) {
  if (dimension === "content") return data.contents[value].label;
  if (dimension === "style") return data.styles[value].label;
  return value || "not known";
}

function describe(pair) {
  return `${labelOf("content", pair.content)} in the style of ${labelOf("style", pair.style)}`;
}

/** The settings that a figure's values have to share to compare, of those by which results differ here. */
function obstacles(figure) {
  return data.figures.find((one) => one.name === figure)?.needs.filter((name) => name in data.values) ?? [];
}

/** How much a figure differs from that of another pair, in per cent; nothing where the two do not compare. */
function change(pair, other, figure) {
  const [value, base] = [numberOf(pair, figure), numberOf(other, figure)];
  if (pair === other || value === null || !base || obstacles(figure).some((name) => valueOf(pair, name) !== valueOf(other, name))) return "";
  return `${value >= base ? "+" : "−"}${Math.abs(100 * (value / base - 1)).toFixed(0)} %`;
}

/** The settings (and the run) by which this pair differs from others. */
function differences(pair) {
  return Object.keys(data.values)
    .filter((name) => name !== "content" && name !== "style" && valueOf(pair, name))
    .map((name) => `${name} ${valueOf(pair, name)}`);
}

function numberOf(pair, figure) {
  return data.numbers[figure]?.[pair.index] ?? null;
}

function formatted(value) {
  if (value === null) return "–";
  if (Math.abs(value) >= 1e6) return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });
  return value.toLocaleString("en", Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
