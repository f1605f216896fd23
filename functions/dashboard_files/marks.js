// The small marks of phases, conditions and verdicts. Each has a shape of its own: colour only repeats what it says.

import { s } from "./dom.js";

const DISC = { tag: "circle", cx: 8, cy: 8, r: 7, class: "ink" };
const RING = { tag: "circle", cx: 8, cy: 8, r: 6.2, class: "line" };
const OCTAGON = { tag: "path", d: "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z", class: "ink" };
const CROSS = { tag: "path", d: "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2", class: "cut" };

const SHAPES = {
  ok: [DISC, { tag: "path", d: "M4.6 8.3l2.3 2.3 4.5-4.9", class: "cut" }],
  stop: [OCTAGON, CROSS],
  fail: [DISC, CROSS],
  warn: [
    { tag: "path", d: "M8 1.2L15.4 14.4H.6z", class: "ink" },
    { tag: "path", d: "M8 6v3.6M8 11.6v.9", class: "cut" },
  ],
  wait: [RING, { tag: "path", d: "M8 4.4V8l2.4 1.8", class: "line" }],
  work: [
    { tag: "path", d: "M8 1.8a6.2 6.2 0 1 1-6.2 6.2", class: "line" },
    { tag: "circle", cx: 8, cy: 8, r: 2.1, class: "ink" },
  ],
  leave: [RING, { tag: "path", d: "M5 8h6", class: "line" }],
  gone: [RING, { tag: "path", d: "M3.8 12.2l8.4-8.4", class: "line" }],
  none: [{ ...RING, class: "line dotted" }],
  ask: [RING, { tag: "path", d: "M6.2 6.4a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.6-.9 1.2M8 11.3v.7", class: "line" }],
};

/** A mark by its name, in the tone of what it stands for. */
export function mark(name, tone, size = 16) {
  const properties = { viewBox: "0 0 16 16", width: size, height: size, class: `mark tone-${tone}`, "aria-hidden": "true" };
  return s("svg", properties, ...shapes(name));
}

/** The mark's shapes alone, to stand in another picture. */
export function shapes(name) {
  return (SHAPES[name] ?? SHAPES.ask).map(({ tag, ...properties }) => s(tag, properties));
}
