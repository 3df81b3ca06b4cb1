"use strict";
// Sorting and filtering: a form whose fields are made from what differs between the results.

const form = document.getElementById("filters");
const order = make("select", { name: "sort" }, make("option", { value: "", textContent: "manifest order" }));
for (const figure of data.figures) {
  order.append(make("option", { value: figure.name, textContent: figure.label }));
}
const direction = make("select", { name: "direction" },
  make("option", { value: "best", textContent: "best first" }),
  make("option", { value: "worst", textContent: "worst first" }));
form.append(make("label", {}, "Sort by ", order), make("label", {}, "Order ", direction),
  make("label", {}, "Find ", make("input", { type: "search", name: "find" })));

const choices = { status: [...new Set(data.pairs.map((pair) => pair.status))], ...data.values };
for (const [dimension, values] of Object.entries(choices)) {
  if (values.length < 2) continue;
  const select = make("select", { name: `filter-${dimension}` }, make("option", { value: "", textContent: "all" }));
  for (const value of values) {
    select.append(make("option", { value, textContent: dimension === "status" ? value : labelOf(dimension, value) }));
  }
  form.append(make("label", {}, `${dimension} `, select));
}
form.append(make("button", { type: "reset", textContent: "Reset" }));
form.addEventListener("submit", (event) => event.preventDefault());

/** The pairs that the filters let through, in the order asked for; those without the figure come last. */
function chosenPairs() {
  const asked = [...form.elements].filter((field) => field.name?.startsWith("filter-") && field.value)
    .map((field) => [field.name.replace("filter-", ""), field.value]);
  const text = form.elements.find.value.trim().toLowerCase();
  const chosen = data.pairs.filter((pair) =>
    asked.every(([name, value]) => (name === "status" ? pair.status : valueOf(pair, name)) === value)
    && (!text || `${pair.id} ${describe(pair)}`.toLowerCase().includes(text)));
  return order.value ? chosen.sort(compareBy(order.value, (pair) => numberOf(pair, order.value))) : chosen;
}

function compareBy(figure, number) {
  const higher = data.figures.find((one) => one.name === figure).better === "higher";
  const sign = higher === (direction.value === "best") ? -1 : 1;
  return (one, other) => {
    const [a, b] = [number(one), number(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (a - b);
  };
}
