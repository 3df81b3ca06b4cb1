"use strict";
// Pictures of the gallery's folder. A name is made of the digest of what it shows.

function fileNamed(name) {
  return name in data.missing ? null : `pictures/${name}`;
}

function address(picture, longer) {
  return fileNamed(`${picture}-${longer}.webp`);
}

/** A result's own file, as the run has it. */
function resultFile(pair) {
  return pair.picture && fileNamed(`${pair.picture}${pair.ending}`);
}

/** A small picture that is loaded when it is scrolled to, or a text in its place. */
function thumbnail(shown, alt, reason = "no picture") {
  const source = shown.picture && address(shown.picture, data.thumbnail);
  if (!source) {
    const missing = shown.picture && data.missing[`${shown.picture}-${data.thumbnail}.webp`];
    return make("span", { className: "missing", textContent: missing || reason });
  }
  return make("img", {
    width: shown.width, height: shown.height, loading: "lazy", decoding: "async", alt, src: source,
  });
}

/** A result's small picture; the whole one where it is shown larger than that. */
function resultThumbnail(pair, width = 0) {
  const made = thumbnail(pair, describe(pair), pair.error ? `failed: ${pair.error}` : "no picture");
  const whole = width > data.thumbnail && Math.max(pair.width, pair.height) > data.thumbnail && resultFile(pair);
  if (whole && made.tagName === "IMG") made.src = whole;
  return made;
}

function originals(pair) {
  const content = data.contents[pair.content];
  const styles = data.styles[pair.style].parts.map(([place]) => data.pictures[place]);
  return { content, styles };
}
