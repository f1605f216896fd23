// What was done and decided, newest first. The first page stays fresh; older pages are read when asked for.

import { h } from "./dom.js";
import { short } from "./time.js";

/** The journal; `load(before)` reads an older page. */
export function journal(load) {
  let first = [];
  let older = [];
  let before = null;
  let shown = "";
  const list = h("ol", { class: "journal" });
  const more = h("button", { type: "button", class: "quiet", onclick: loadMore }, "Older entries");
  const element = h("section", { class: "panel", "aria-label": "Journal" }, h("h2", {}, "Journal"), list, more);

  async function loadMore() {
    more.disabled = true;
    try {
      const page = await load(before);
      older.push(...page.items);
      before = page.next;
      draw();
    } catch {
      more.textContent = "Older entries could not be read. Try again";
    }
    more.disabled = false;
  }

  function draw() {
    const seen = new Set();
    const entries = [...first, ...older].filter((entry) => !seen.has(key(entry)) && seen.add(key(entry)));
    list.replaceChildren(...entries.map(item));
    if (entries.length === 0) list.append(h("li", { class: "muted" }, "Nothing was done yet."));
    more.hidden = before === null;
    more.textContent = "Older entries";
  }

  return {
    element,
    show(page) {
      const now = JSON.stringify(page);
      if (now === shown) return;
      // Older pages only join on while the first still overlaps with what was there.
      const joins = first.some((entry) => page.items.some((other) => key(other) === key(entry)));
      if (!joins) older = [];
      if (older.length === 0) before = page.next;
      else older = [...first.filter((entry) => !page.items.some((other) => key(other) === key(entry))), ...older];
      first = page.items;
      shown = now;
      draw();
    },
  };
}

const key = (entry) => `${entry.at} ${entry.runId} ${entry.step}`;

function item(entry) {
  const change = entry.before !== null || entry.after !== null;
  return h("li", { class: entry.outcome === "failed" ? "tone-bad" : "" },
    h("time", { datetime: entry.at }, short(entry.at)),
    h("div", { class: "what" },
      h("span", { class: "step" }, entry.step), " ",
      h("span", { class: `outcome ${entry.outcome}` }, entry.outcome),
      entry.durationMs > 0 && h("span", { class: "muted" }, ` ${entry.durationMs} ms`),
      change && h("span", { class: "change" }, text(entry.before), " → ", text(entry.after)),
      entry.message && h("span", { class: "message muted" }, entry.message),
      h("span", { class: "sub muted ids" }, `run ${entry.runId}, correlation id ${entry.correlationId}`)),
    h("span", { class: "muted cause" }, entry.cause));
}

function text(value) {
  if (value === null || value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
