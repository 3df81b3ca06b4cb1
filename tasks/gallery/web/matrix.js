"use strict";
// Results as a matrix: contents × styles, or × the settings that differ.

const BATCH = 150; // cells that are made at once, so that the first ones can be seen before the last are made

function grouped(pairs, dimensions) {
  const groups = new Map();
  for (const pair of pairs) {
    const key = JSON.stringify(dimensions.map((name) => valueOf(pair, name)));
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(pair);
  }
  return groups;
}

/** Groups in the order of the dimensions' values, or of their mean where the results are sorted by a figure. */
function orderedGroups(pairs, dimensions) {
  const groups = [...grouped(pairs, dimensions)];
  if (order.value) {
    const mean = new Map(groups.map(([key, members]) => {
      const numbers = members.map((pair) => numberOf(pair, order.value)).filter((number) => number !== null);
      return [key, numbers.length ? numbers.reduce((a, b) => a + b) / numbers.length : null];
    }));
    return groups.sort(compareBy(order.value, ([key]) => mean.get(key)));
  }
  const ranks = dimensions.map((name) => new Map((data.values[name] ?? []).map((value, rank) => [value, rank])));
  const rank = ([, [pair]]) => dimensions.map((name, i) => ranks[i].get(valueOf(pair, name)) ?? Infinity);
  const places = new Map(groups.map((group) => [group, rank(group)]));
  return groups.sort((one, other) => {
    const [a, b] = [places.get(one), places.get(other)];
    const at = a.findIndex((value, index) => value !== b[index]);
    return at < 0 ? 0 : a[at] > b[at] ? 1 : -1;
  });
}

/** A name that may break at its own joints, and not within a word. */
function breakable(text) {
  return text.split(/(?<=[_\-./ ])/).flatMap((part) => [part, make("wbr")]);
}

/** Names a row or column by its members: one that failed may not know what the others do. */
function heading(role, members, labels) {
  const cell = make("div", { className: "head", role });
  const [pair] = members;
  const pictures = labels.flatMap((name) =>
    name === "content" ? [data.contents[pair.content]] : name === "style" ? originals(pair).styles : []);
  if (pictures.length) cell.append(make("div", { className: "originals" }, ...pictures.map((one) => thumbnail(one, ""))));
  for (const name of labels) {
    const text = labelOf(name, members.map((one) => valueOf(one, name)).find(Boolean) ?? "");
    const known = name === "content" || name === "style";
    cell.append(make("span", { className: "name", title: text },
      ...(known ? [] : [make("span", { className: "dimension" }, ...breakable(name)), " "]), ...breakable(text)));
  }
  return cell;
}

function resultButton(pair, first) {
  const figure = order.value || "total_loss";
  const caption = make("span", { className: "caption", textContent: pair.status === "failed" ? "failed" : formatted(numberOf(pair, figure)) });
  const by = first ? change(pair, first, figure) : "";
  if (by) caption.append(" ", make("span", { className: "change", textContent: by }));
  return make("button", { type: "button", className: `result ${pair.status}`, title: pair.id, dataset: { pair: pair.index } },
    resultThumbnail(pair), caption);
}

function matrix(pairs) {
  const columns = orderedGroups(pairs, data.columns);
  const compares = !data.columns.includes("style");
  const table = make("div", { className: "matrix", role: "table", ariaLabel: "Results" });
  table.style.setProperty("--columns", columns.length);
  table.append(make("div", { className: "row top", role: "row" }, make("div", { className: "head", role: "columnheader" },
    make("span", { className: "name" }, ...breakable(`${data.rows.join(", ")} ↓`)),
    make("span", { className: "name" }, ...breakable(`${data.columns.join(", ")} →`))),
  ...columns.map(([, members]) => heading("columnheader", members, data.columnLabels))));
  const rows = orderedGroups(pairs, data.rows);
  const addRow = ([, members]) => {
    const row = make("div", { className: "row", role: "row" }, heading("rowheader", members, data.rowLabels));
    const cells = grouped(members, data.columns);
    const baseline = compares ? columns.map(([key]) => cells.get(key)?.[0]).find((pair) => pair?.picture) : null;
    for (const [key] of columns) {
      row.append(make("div", { className: "cell", role: "cell" },
        ...(cells.get(key) ?? []).map((pair) => resultButton(pair, baseline))));
    }
    table.append(row);
  };
  inBatches(rows, Math.max(1, Math.floor(BATCH / columns.length)), addRow, table);
  return table;
}

/** Calls `add` for all items: some now, and the rest when the browser has time, unless `owner` was taken away. */
function inBatches(items, size, add, owner, from = 0) {
  items.slice(from, from + size).forEach(add);
  if (from + size >= items.length) return;
  setTimeout(() => { if (owner.isConnected) inBatches(items, size, add, owner, from + size); });
}
