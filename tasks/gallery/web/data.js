"use strict";
// What the page shows. `data` is as tasks/gallery/page_data.py writes it; a pair is one row of a report.

const data = JSON.parse(document.getElementById("data").textContent);
document.getElementById("data").remove(); // tens of thousands of pairs would be kept as text besides

/** A row of a report: a place in the columns, since copies of tens of thousands of rows take time and memory. */
class Pair {
  constructor(index) { this.index = index; }
  get error() { return data.errors[this.index]; }
}
for (const [name, column] of Object.entries(data.pairs)) {
  Object.defineProperty(Pair.prototype, name, { get: Array.isArray(column) ? function () { return column[this.index]; } : () => column });
}
data.pairs = Array.from({ length: data.count }, (_, index) => new Pair(index));

/** A new element: properties are set as properties, so that text is text and never markup. */
function make(tag, properties = {}, ...children) {
  const { dataset = {}, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** Items by what `key` says of each, in the order in which keys first come. */
function groupedBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
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

/** A dimension's name: as the manifest has it, or in a presentation as people say it. */
function wordOf(dimension) {
  if (!data.presentation) return dimension;
  return { content: "picture", style: "style" }[dimension] ?? dimension.replaceAll("_", " ");
}

function describe(pair) {
  return `${labelOf("content", pair.content)} in the style of ${labelOf("style", pair.style)}`;
}

function titleOf(pair) {
  return data.presentation ? describe(pair) : pair.id;
}

/** The settings (and the run) by which this pair differs from others. */
function differences(pair) {
  return Object.keys(data.values)
    .filter((name) => name !== "content" && name !== "style" && valueOf(pair, name))
    .map((name) => `${wordOf(name)} ${valueOf(pair, name)}`);
}

/** The results of the same content and style. */
function siblings(pair) {
  return data.pairs.filter((one) => one.content === pair.content && one.style === pair.style);
}

/** What a pair is called in addresses and among the picks: ids are unique within a run. */
function keyOf(pair) {
  return data.runs.length > 1 ? `${data.runs[pair.run].name}/${pair.id}` : pair.id;
}

let pairsByKey = null;
function pairOf(key) {
  pairsByKey ??= new Map(data.pairs.map((pair) => [keyOf(pair), pair]));
  return pairsByKey.get(key);
}

function numberOf(pair, figure) {
  return data.numbers[figure]?.[pair.index] ?? null;
}

function formatted(value) {
  if (value === null) return "–";
  if (Math.abs(value) >= 1e6) return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });
  // Without a locale: the first one takes a browser 20 ms, and these stand under the first pictures.
  if (Math.abs(value) >= 999.5) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
  return String(Number(value.toPrecision(3)));
}
