"use strict";
// What is shown has an address: `#view=list`, `#view=matrix&pair=…`, `#compare=…`. Back goes where one came from.

const state = { view: data.view, pair: "", compare: "", picked: "" };
let opened = false; // whether a dialog was opened from here, so that closing it is going back
const shows = []; // told of a change, each with the state before it

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const view = document.querySelector(`[data-view="${CSS.escape(asked.get("view") ?? "")}"]`) ? asked.get("view") : data.view;
  return { view, pair: asked.get("pair") ?? "", compare: asked.get("compare") ?? "", picked: asked.get("picked") ?? "" };
}

function addressOf(asked) {
  return `#${new URLSearchParams(Object.entries(asked).filter(([, value]) => value))}`;
}

function apply(next) {
  const before = { ...state };
  Object.assign(state, next);
  for (const show of shows) show(before);
}

/** Shows something else, as a step that Back undoes, or in place of what is shown. */
function visit(changes, inPlace = false) {
  const dialogs = (asked) => Boolean(asked.pair || asked.compare);
  const next = { ...state, ...changes };
  if (!dialogs(state) && dialogs(next)) opened = true;
  const address = addressOf(next);
  if (inPlace) location.replace(address);
  else location.hash = address;
  apply(next);
}

/** Closes a dialog: back to where it was opened from, so that Back does not open it again. */
function closeDialogs() {
  if (opened) history.back();
  else visit({ pair: "", compare: "" }, true);
  opened = false;
  apply({ pair: "", compare: "" });
}

addEventListener("hashchange", () => {
  const next = readAddress();
  if (addressOf(next) === addressOf(state)) return;
  if (!next.pair && !next.compare) opened = false;
  apply(next);
});
