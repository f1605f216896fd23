// What the page of all connections does around its table: its address, its keys, its first sentence, and a saved file.

import { h } from "./dom.js";
import { plural } from "./words.js";

const FILTERS = ["q", "phase", "region", "family", "subscription", "target"];
const SORT = "phase"; // the pressing ones first

/** The filters in the address, by the names of the API's parameters. */
export function readAddress(sorts) {
  const query = new URLSearchParams(location.search);
  const sort = query.get("sort");
  return { ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])), sort: sorts.includes(sort) ? sort : SORT };
}

/** The filter stands in the address: it survives a reload and the way back, and can be sent to a colleague. */
export function writeAddress(state) {
  const query = new URLSearchParams();
  for (const name of FILTERS) if (state[name]) query.set(name, state[name]);
  if (state.sort !== SORT) query.set("sort", state.sort);
  const suffix = query.size ? `?${query}` : "";
  history.replaceState(history.state, "", location.pathname + suffix);
}

/** The state of all in one sentence. */
export function words({ Blocked: blocked, Degraded: degraded, Ready: ready, Ignored: ignored, Removed: removed, ...others }) {
  const active = [blocked, degraded, ready, ...Object.values(others)].reduce((sum, number) => sum + number, 0);
  if (active + ignored + removed === 0) return ["No private connections yet"];
  const parts = [];
  if (blocked) parts.push(`${plural(blocked)} need${blocked === 1 ? "s" : ""} a person`);
  if (degraded) parts.push(`${parts.length ? degraded : plural(degraded)} ${degraded === 1 ? "is" : "are"} degraded`);
  if (parts.length) return [parts.join(", ")];
  const under = active - ready;
  if (under) return [`${plural(under)} on ${under === 1 ? "its" : "their"} way, no person is needed`];
  return [active === 1 ? "The private connection works" : `All ${plural(active)} work`];
}

/** What stands in place of an empty table. */
export function nothing(all, clear) {
  if (all > 0) return [h("p", {}, "No connection matches."), h("button", { type: "button", onclick: clear }, "Show all")];
  return [
    h("p", {}, "Create an Azure private endpoint with Elastic's service alias, and tag it ", h("code", {}, "elastic-deployments"), "."),
    h("p", { class: "muted" }, "It appears here within seconds, or with the next sweep."),
  ];
}

/** Up and down go from row to row. */
export function moveInTable(event, body) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const inTable = body.contains(event.target);
  if (!step || !(inTable || (event.target.id === "filter" && step === 1))) return;
  const links = [...body.querySelectorAll("a[data-inside]")];
  const at = links.indexOf(event.target.closest("tr")?.querySelector("a[data-inside]"));
  const next = links[inTable ? at + step : 0];
  if (next) next.focus();
  else if (inTable && step === -1) document.getElementById("filter").focus();
  event.preventDefault();
}

/** Have the browser save a file. */
export function save(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}
