"use strict";
// Results as a list, with their originals and their figures.

function listItem(pair) {
  const { content, styles } = originals(pair);
  const text = make("div", { className: "text" }, make("strong", { textContent: pair.id }),
    make("span", { textContent: describe(pair) }), make("span", { textContent: differences(pair).join(" · ") }));
  if (pair.error) text.append(make("span", { className: "error", textContent: pair.error }));
  const figures = make("dl");
  const shown = ["total_loss", "structure", "style_distance", order.value, "seconds"];
  for (const figure of data.figures.filter((one) => shown.includes(one.name))) {
    figures.append(make("div", { className: figure.name === order.value ? "sorted" : "" },
      make("dt", { textContent: figure.label }), make("dd", { textContent: formatted(numberOf(pair, figure.name)) })));
  }
  return make("li", {}, resultButton(pair, null),
    make("div", { className: "originals" }, thumbnail(content, content.label), ...styles.map((style) => thumbnail(style, style.label))),
    text, figures);
}

function list(pairs) {
  const items = make("ol", { className: "list" });
  inBatches(pairs, 60, (pair) => items.append(listItem(pair)), items);
  return items;
}
