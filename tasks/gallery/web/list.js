"use strict";
// Results as a list, with their originals and their figures.

function listItem(pair) {
  const { content, styles } = originals(pair);
  const text = make("div", { className: "text" }, make("strong", { textContent: titleOf(pair) }),
    ...(data.presentation ? [] : [make("span", { textContent: describe(pair) })]),
    make("span", { textContent: differences(pair).join(" · ") }));
  if (pair.error) text.append(make("span", { className: "error", textContent: pair.error }));
  if (picks.get(keyOf(pair))) text.append(make("span", { className: "remark", textContent: `★ ${picks.get(keyOf(pair))}` }));
  const figures = make("dl");
  const sorted = figuresOf(order.value);
  const shown = ["structure", "total_loss", "content_similarity", "style_distance", ...sorted, "seconds"];
  for (const figure of data.figures.filter((one) => shown.includes(one.name))) {
    figures.append(make("div", { className: sorted.includes(figure.name) ? "sorted" : "" },
      make("dt", { textContent: figure.label }), make("dd", { textContent: formatted(numberOf(pair, figure.name)) })));
  }
  return make("li", {}, resultTile(pair, null, 0),
    make("div", { className: "originals" }, thumbnail(content, content.label), ...styles.map((style) => thumbnail(style, style.label))),
    text, ...(figures.childElementCount ? [figures] : []));
}

function list(pairs) {
  const items = make("div");
  appendInChunks(items, pairs, 40, 140, (start) => make("ol", { className: "list", start: start + 1 }), listItem);
  return items;
}
