"use strict";
// A result as a button that opens it, with its star and its box to compare it by.

/** The figure under a result: that by which results are ordered, or else the one that says most. */
function shownFigure() {
  return figuresOf(order.value)[0] ?? ["structure", "total_loss"].find((name) => name in data.numbers);
}

function captionOf(pair, first) {
  if (pair.status === "failed") return make("span", { className: "caption", textContent: "failed" });
  const figure = data.figures.find((one) => one.name === shownFigure());
  if (!figure) return "";
  const caption = make("span", { className: "caption", textContent: `${figure.label} ${formatted(numberOf(pair, figure.name))}` });
  const by = first ? change(pair, first, figure.name) : "";
  if (by) caption.append(" ", make("span", { className: "change", textContent: by }));
  return caption;
}

function resultButton(pair, first, width = 0) {
  return make("button", { type: "button", className: `result ${pair.status}`, title: titleOf(pair), dataset: { pair: pair.index } },
    resultThumbnail(pair, width), captionOf(pair, first));
}

function markButton(pair, kind, sign, label, pressed) {
  const button = make("button", { type: "button", className: `mark ${kind}`, textContent: sign, title: label,
    ariaLabel: `${label}: ${describe(pair)}`, dataset: { [kind]: pair.index } });
  button.ariaPressed = String(pressed);
  return button;
}

/** A result with its marks; what failed cannot be chosen. */
function resultTile(pair, first, width) {
  const tile = make("div", { className: "tile" }, resultButton(pair, first, width));
  if (pair.picture) {
    tile.append(markButton(pair, "star", "★", "Pick (S)", isPicked(pair)),
      markButton(pair, "versus", "◫", "Compare (C)", compared.includes(pair)));
  }
  return tile;
}
