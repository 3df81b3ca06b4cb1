"use strict";
// Which figures compare between which results, and their order by them. What does not compare is never ranked.

const needsOf = new Map(data.figures.map((figure) => [figure.name, figure.needs.filter((name) => name in data.values)]));

/** A pair's value of what a figure needs; styles of the balanced objective compare, since its losses are relative to them. */
function needed(pair, name) {
  return name === "style" && data.settings[pair.settings]?.objective === "balanced" ? "" : valueOf(pair, name);
}

/** The dimensions in which these pairs differ and which a figure's values have to share to compare. */
function obstacles(figure, pairs) {
  return (needsOf.get(figure) ?? []).filter((name) => pairs.some((pair) => needed(pair, name) !== needed(pairs[0], name)));
}

/** Names the results that a figure compares a result with. */
function kindOf(pair, figure) {
  let kind = "";
  for (const name of needsOf.get(figure) ?? []) kind += `${needed(pair, name)}\n`;
  return kind;
}

/** How much a figure differs from that of another pair, in per cent; nothing where the two do not compare. */
function change(pair, other, figure) {
  const [value, base] = [numberOf(pair, figure), numberOf(other, figure)];
  if (pair === other || value === null || !base || kindOf(pair, figure) !== kindOf(other, figure)) return "";
  return `${value >= base ? "+" : "−"}${Math.abs(100 * (value / base - 1)).toFixed(0)} %`;
}

/** The figures that an order goes by: a second one decides where the first is the same to two digits. */
function figuresOf(order) {
  return order === "quality" ? ["structure", "style_distance"].filter((name) => name in data.numbers) : order ? [order] : [];
}

/** Compares by numbers, the better first (or last); what has none comes last. `number` gives an item's of the figure at a place. */
function compareBy(figures, number, best) {
  const signs = figures.map((name) => (data.figures.find((one) => one.name === name).better === "higher") === best ? -1 : 1);
  const grain = figures.length > 1 ? 100 : 0;
  return (one, other) => {
    for (let at = 0; at < figures.length; at++) {
      const a = number(one, at), b = number(other, at);
      if (a === null || b === null) {
        if (a !== b) return (a === null) - (b === null);
      } else {
        const by = grain && at === 0 ? Math.round(a * grain) - Math.round(b * grain) : a - b;
        if (by) return signs[at] * by;
      }
    }
    return 0;
  };
}

/** Results by figures; within each kind that compares, where not all do. The kinds keep their order. */
function ranked(pairs, figures, best) {
  const kinds = groupedBy(pairs, (pair) => kindOf(pair, figures[0]));
  const compare = compareBy(figures, (pair, at) => numberOf(pair, figures[at]), best);
  return [...kinds.values()].flatMap((members) => members.sort(compare));
}

/** Groups of results by their means, over the kinds that all groups have; null where there is no such kind. */
function rankedGroups(groups, figures, best) {
  const kindsOf = groups.map(([, members]) =>
    groupedBy(members.filter((pair) => numberOf(pair, figures[0]) !== null), (pair) => kindOf(pair, figures[0])));
  const measured = kindsOf.filter((kinds) => kinds.size);
  const shared = [...(measured[0]?.keys() ?? [])].filter((kind) => measured.every((kinds) => kinds.has(kind)));
  if (!shared.length) return null;
  const mean = new Map(groups.map((group, at) => {
    const members = shared.flatMap((kind) => kindsOf[at].get(kind) ?? []);
    return [group, figures.map((name) => {
      let sum = 0, known = 0;
      for (const pair of members) {
        const number = numberOf(pair, name);
        if (number !== null) { sum += number; known += 1; }
      }
      return known ? sum / known : null;
    })];
  }));
  return [...groups].sort(compareBy(figures, (group, at) => mean.get(group)[at], best));
}
