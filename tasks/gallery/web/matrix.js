"use strict";
// Results as a matrix: contents × styles, or × a setting that differs; a further one goes down within each content.

const CELLS = 60; // that are made at once
const ACROSS = 4; // results of a single row that are side by side; more of them go on below, each with its own heading

function grouped(pairs, dimensions) {
  const [first, ...others] = dimensions;
  return groupedBy(pairs, (pair) => others.reduce((key, name) => `${key}\n${valueOf(pair, name)}`, valueOf(pair, first)));
}

/** Groups in the order of the dimensions' values, or by figures where these compare between them. */
function orderedGroups(pairs, dimensions) {
  const groups = [...grouped(pairs, dimensions)];
  const ranks = dimensions.map((name) => new Map((data.values[name] ?? []).map((value, rank) => [value, rank])));
  const places = new Map(groups.map((group) => [group, dimensions.map((name, at) => ranks[at].get(valueOf(group[1][0], name)) ?? Infinity)]));
  groups.sort((one, other) => {
    const [a, b] = [places.get(one), places.get(other)];
    const at = a.findIndex((value, index) => value !== b[index]);
    return at < 0 ? 0 : a[at] > b[at] ? 1 : -1;
  });
  const figures = figuresOf(order.value);
  const blocks = dimensions.length > 1 && !dimensions.includes("style"); // a sweep keeps its own order within a content
  return (figures.length && !blocks && rankedGroups(groups, figures, direction.value === "best")) || groups;
}

/** A name that may break at its own joints, and not within a word. */
function breakable(text) {
  return text.split(/(?<=[_\-./ ])/).flatMap((part) => [part, make("wbr")]);
}

/** Names a row or column by its members: one that failed may not know what the others do. */
function heading(role, members, labels, said = []) {
  const cell = make("div", { className: "head", role });
  const [pair] = members;
  const pictures = labels.filter((name) => !said.includes(name)).flatMap((name) =>
    name === "content" ? [data.contents[pair.content]] : name === "style" ? originals(pair).styles : []);
  if (pictures.length) cell.append(make("div", { className: "originals" }, ...pictures.map((one) => thumbnail(one, ""))));
  for (const name of labels) {
    const text = labelOf(name, members.map((one) => valueOf(one, name)).find(Boolean) ?? "");
    const known = name === "content" || name === "style";
    cell.append(make("span", { className: said.includes(name) ? "unseen" : "name", title: text },
      ...(known ? [] : [make("span", { className: "dimension" }, ...breakable(wordOf(name))), " "]), ...breakable(text)));
  }
  return cell;
}

/** What goes down and across, and the content or style that all results have in common, unless a heading shows it. */
function corner() {
  const [pair] = data.pairs;
  const isSeen = (name) => name in data.values || data.rowLabels.includes(name) || data.columnLabels.includes(name);
  const lone = [...isSeen("content") ? [] : [data.contents[pair.content]], ...isSeen("style") ? [] : originals(pair).styles];
  return make("div", { className: "head", role: "columnheader" },
    ...lone.map((one) => make("div", { className: "lone" }, thumbnail(one, ""), make("span", { className: "name" }, ...breakable(one.label)))),
    make("span", { className: "name" }, ...breakable(`${data.rows.map(wordOf).join(", ")} ↓`)),
    make("span", { className: "name" }, ...breakable(`${data.columns.map(wordOf).join(", ")} →`)));
}

function matrix(pairs) {
  const columns = orderedGroups(pairs, data.columns);
  const compares = !data.columns.includes("style") && !data.columns.includes("content");
  const rows = orderedGroups(pairs, data.rows);
  const table = make("div", { className: "matrix", role: "table", ariaLabel: "Results" });
  table.style.setProperty("--columns", columns.length);
  if (size.value > 0) table.style.setProperty("--chosen", `${size.value}px`);
  const single = rows.length === 1 && columns.length > ACROSS && data.columns.includes("style");
  table.classList.toggle("single", single);
  if (!single) {
    table.append(make("div", { className: "row top", role: "row" }, corner(),
      ...inBands(columns, ([, members]) => heading("columnheader", members, data.columnLabels))));
  }
  const width = size.value > 0 ? Number(size.value) : (innerWidth - 200) / (single ? ACROSS : columns.length);
  const block = data.rows.filter((name) => name === "content" || name === "style");
  const row = ([, members], place) => {
    const before = rows[place - 1]?.[1][0];
    const said = block.length < data.rows.length && before && block.every((name) => valueOf(before, name) === valueOf(members[0], name)) ? block : [];
    const made = make("div", { className: said.length || block.length === data.rows.length ? "row" : "row first", role: "row" },
      heading("rowheader", members, data.rowLabels, said));
    const cells = grouped(members, data.columns);
    const baseline = compares ? columns.map(([key]) => cells.get(key)?.[0]).find((pair) => pair?.picture) : null;
    const cell = ([key, members]) => make("div", { className: "cell", role: "cell" },
      ...(cells.get(key) ?? []).map((pair) => resultTile(pair, baseline, width)),
      ...(single ? [heading("presentation", members, data.columnLabels)] : []));
    made.append(...(single ? columns.map(cell) : inBands(columns, cell)));
    return made;
  };
  appendInChunks(table, rows, Math.max(1, Math.floor(CELLS / columns.length)), Math.max(120, width * 0.8),
    () => make("div", { role: "rowgroup" }), row);
  return table;
}
