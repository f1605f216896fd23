// Moments as people read them. `<time>` elements made here are kept true by `tick`.

import { h } from "./dom.js";

const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [Infinity, "d", 86400]];

/** A moment as its distance from now, with the moment itself as its title. */
export function since(text) {
  if (!text) return h("span", { class: "muted" }, "–");
  const element = h("time", { datetime: text, title: exact(text), "data-since": "" });
  element.textContent = distance(text);
  return element;
}

/** "12 s", "3 min", "5 h", "9 d". */
export function distance(text, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(text)) / 1000));
  const [, unit, size] = STEPS.find(([limit]) => seconds < limit);
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Date and time in the reader's own zone. */
export function exact(text) {
  const options = { dateStyle: "medium", timeStyle: "medium" };
  return new Intl.DateTimeFormat(undefined, options).format(new Date(text));
}

/** Date and time, short: for lists. */
export function short(text) {
  const options = { month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(undefined, options).format(new Date(text));
}

/** Hours and minutes, and seconds if wanted; with the day when that is another than `beside`'s. */
export function clock(moment, beside, seconds = false) {
  const at = new Date(moment);
  const options = { hour: "2-digit", minute: "2-digit", hour12: false, ...(seconds && { second: "2-digit" }) };
  if (beside !== undefined && at.toDateString() !== new Date(beside).toDateString()) {
    Object.assign(options, { month: "short", day: "numeric" });
  }
  return new Intl.DateTimeFormat(undefined, options).format(at);
}

/** Bring every distance on the page up to date. */
export function tick() {
  for (const element of document.querySelectorAll("time[data-since]")) {
    const text = distance(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
  }
}
