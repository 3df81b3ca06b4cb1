"use strict";
// Sorting and filtering: a form whose fields are made from what differs between the results.

const form = document.getElementById("filters");
const order = make("select", { name: "sort" });
const direction = make("select", { name: "direction" },
  make("option", { value: "best", textContent: "best first" }),
  make("option", { value: "worst", textContent: "worst first" }));
if ("structure" in data.numbers) order.append(make("option", { value: "quality", textContent: "structure, then style distance" }));
order.append(make("option", { value: "", textContent: "manifest order" }));
for (const figure of data.figures) order.append(make("option", { value: figure.name, textContent: figure.label }));
const size = make("select", { name: "size" }, ...Object.entries({ 0: "as wide as fits", 110: "small", 200: "middle", 320: "large", 520: "very large" })
  .map(([value, textContent]) => make("option", { value, textContent })));
if (data.figures.length) form.append(make("label", {}, "Sort by ", order), make("label", {}, "Order ", direction));
form.append(make("label", {}, "Find ", make("input", { type: "search", name: "find" })), make("label", {}, "Pictures ", size));

const choices = { ...(data.presentation ? {} : { status: [...new Set(data.pairs.map((pair) => pair.status))] }), ...data.values };
for (const [dimension, values] of Object.entries(choices)) {
  if (values.length < 2) continue;
  const select = make("select", { name: `filter-${dimension}` }, make("option", { value: "", textContent: "all" }));
  for (const value of values) {
    select.append(make("option", { value, textContent: dimension === "status" ? value : labelOf(dimension, value) }));
  }
  form.append(make("label", {}, `${wordOf(dimension)} `, select));
}
form.append(make("button", { type: "reset", textContent: "Reset" }));
form.addEventListener("submit", (event) => event.preventDefault());

/** The pairs that the filters let through, in the order asked for. */
function chosenPairs() {
  const asked = [...form.elements].filter((field) => field.name?.startsWith("filter-") && field.value)
    .map((field) => [field.name.replace("filter-", ""), field.value]);
  const words = form.elements.find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = data.pairs.filter((pair) => {
    if (state.picked && !isPicked(pair)) return false;
    if (!asked.every(([name, value]) => (name === "status" ? pair.status : valueOf(pair, name)) === value)) return false;
    if (!words.length) return true;
    const text = `${pair.id} ${describe(pair)} ${picks.get(keyOf(pair)) ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const figures = figuresOf(order.value);
  return figures.length ? ranked(chosen, figures, direction.value === "best") : chosen;
}
