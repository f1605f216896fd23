// Moments as people read them. `<time>` elements made here are kept true by `tick`.

import { h } from "./dom.js";

const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [Infinity, "d", 86400]];

let ahead = 0; // milliseconds of the app's clock before this browser's
let exactly = false;

/** From now on it is what time the app's answer said: one clock for all that is shown. */
export function setClock(date) {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  if (Math.abs(difference - ahead) > 2000) ahead = Math.abs(difference) > 2000 ? difference : 0;
}

/** What time it is, by the app's clock. */
export const now = () => Date.now() + ahead;

/** Whether moments are shown by date and time, or by how long ago they are. */
export function showExactly(wanted) {
  exactly = wanted;
  tick();
}

/** A moment as its distance from now; a button in the bar shows all of them by date and time. */
export function since(text) {
  if (!text) return h("span", { class: "muted" }, "–");
  const element = h("time", { datetime: text, title: exact(text), "data-since": "" });
  element.textContent = moment(text);
  return element;
}

const moment = (text) => (exactly ? exact(text) : distance(text));

/** "12 s", "3 min", "5 h", "9 d". */
export function distance(text) {
  const seconds = Math.max(0, Math.round((now() - Date.parse(text)) / 1000));
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
    const text = moment(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
  }
}
