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

function heading(role, pair, labels) {
  const cell = make("div", { className: "head", role });
  for (const name of labels) {
    if (name === "content") cell.append(thumbnail(data.contents[pair.content], ""));
    if (name === "style") cell.append(...originals(pair).styles.map((style) => thumbnail(style, "")));
    const text = labelOf(name, valueOf(pair, name));
    const plain = name === "content" || name === "style";
    cell.append(make("span", { className: "name", title: text, textContent: plain ? text : `${name} ${text}` }));
  }
  return cell;
}

function resultButton(pair, first) {
  const figure = order.value || "total_loss";
  const value = numberOf(pair, figure);
  const base = first && first !== pair ? numberOf(first, figure) : null;
  const change = value !== null && base ? ` (${value >= base ? "+" : "−"}${Math.abs(100 * (value / base - 1)).toFixed(0)} %)` : "";
  const caption = pair.status === "failed" ? "failed" : `${formatted(value)}${change}`;
  return make("button", { type: "button", className: `result ${pair.status}`, title: pair.id, dataset: { pair: pair.index } },
    resultThumbnail(pair), make("span", { className: "caption", textContent: caption }));
}

function matrix(pairs) {
  const columns = orderedGroups(pairs, data.columns);
  const compares = !data.columns.includes("style");
  const table = make("div", { className: "matrix", role: "table", ariaLabel: "Results" });
  table.style.setProperty("--columns", columns.length);
  table.append(make("div", { className: "row top", role: "row" }, make("div", { className: "head", role: "columnheader" },
    make("span", { className: "name", textContent: `${data.rows.join(", ")} ↓  ${data.columns.join(", ")} →` })),
  ...columns.map(([, [pair]]) => heading("columnheader", pair, data.columnLabels))));
  const rows = orderedGroups(pairs, data.rows);
  const addRow = ([, members]) => {
    const row = make("div", { className: "row", role: "row" }, heading("rowheader", members[0], data.rowLabels));
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
