// All connections: how many stand how, and a table that filters and sorts.

import { listConnections } from "./api.js";
import { arrange, h } from "./dom.js";
import { mark } from "./marks.js";
import { since } from "./time.js";
import { PHASE_ORDER, family, phase, resourceGroup, urgency } from "./words.js";

const INTERVAL = 15_000;
const ROWS = 300; // drawn at first; a button draws the rest
const TITLE = "Private Link Autopilot";

const COLUMNS = [
  { key: "phase", label: "Phase", order: (c) => [urgency(c.phase), c.since ?? ""] },
  { key: "name", label: "Connection", order: (c) => [c.name.toLowerCase()] },
  { key: "region", label: "Region", order: (c) => [c.region, c.family ?? "", urgency(c.phase)] },
  { key: "target", label: "Target", order: (c) => [names(c).toLowerCase()] },
  { key: "reason", label: "What is going on, and what is next", order: (c) => [c.ready === "True" ? 1 : 0, c.reason ?? ""] },
  { key: "since", label: "For", order: (c) => [c.since ? -Date.parse(c.since) : Infinity] },
];

/** The page of all connections. */
export function overview() {
  const state = readAddress();
  const rows = new Map();
  const tiles = new Map();
  let connections = null;
  let families = {};

  const headline = h("h1", { class: "headline" }, "Reading …");
  const totals = h("div", { class: "totals", role: "group", "aria-label": "Filter by phase" });
  const text = h("input", {
    type: "search", id: "filter", placeholder: "Filter by name, target, address, network, reason …", "aria-label": "Filter", spellcheck: "false",
    value: state.text, oninput: (event) => change({ text: event.target.value }),
  });
  const region = h("select", { id: "region", "aria-label": "Region", onchange: (event) => change({ region: event.target.value }) });
  const targets = h("select", { id: "family", "aria-label": "Targets", hidden: true, onchange: (event) => change({ family: event.target.value }) });
  const count = h("p", { class: "muted count", role: "status" });
  const head = h("tr", {}, COLUMNS.map(header));
  const body = h("tbody");
  const table = h("table", { class: "connections" }, h("caption", { class: "unseen" }, "Private connections"), h("thead", {}, head), body);
  const empty = h("div", { class: "panel empty" });
  const more = h("button", { type: "button", class: "quiet more", onclick: () => change({ all: true }) });
  const element = h("div", {}, headline, totals,
    h("div", { class: "filters" }, text, region, targets, count), table, empty, more);

  element.addEventListener("keydown", (event) => moveInTable(event, body));
  document.addEventListener("keydown", hotkey);

  function hotkey(event) {
    if (!element.isConnected) return document.removeEventListener("keydown", hotkey);
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      text.focus();
    }
    if (event.key === "Escape" && event.target === text && state.text) {
      text.value = "";
      change({ text: "" });
    }
    return undefined;
  }

  function header(column) {
    const button = h("button", { type: "button", onclick: () => sortBy(column.key) }, column.label, h("span", { class: "arrow", "aria-hidden": "true" }));
    return h("th", { scope: "col", class: `c-${column.key}`, "data-key": column.key }, button);
  }

  function sortBy(key) {
    change(key === state.sort ? { down: !state.down } : { sort: key, down: false });
  }

  function change(some) {
    Object.assign(state, some);
    writeAddress(state);
    draw();
  }

  function draw() {
    if (connections === null) return;
    const found = connections.filter((one) => matches(one, state)).sort(comparer(state));
    const shown = state.all ? found : found.slice(0, ROWS);
    headline.replaceChildren(...words(connections));
    drawTiles(totals, tiles, connections, state.phase, (name) => change({ phase: name === state.phase ? "" : name }));
    drawRegions(region, connections, state.region);
    drawFamilies(targets, families, state.family);
    const repaired = connections.reduce((sum, one) => sum + (one.repairedToday ?? 0), 0);
    count.textContent = [found.length === connections.length ? plural(found.length) : `${found.length} of ${plural(connections.length)}`,
      repaired && repairs(repaired)].filter(Boolean).join(", ");
    for (const cell of head.children) drawHeader(cell, state);
    arrange(body, shown.map((one) => row(rows, one)));
    for (const id of rows.keys()) if (!connections.some((one) => one.id === id)) rows.delete(id);
    table.hidden = found.length === 0;
    empty.hidden = found.length > 0;
    empty.replaceChildren(...nothing(connections.length, () => clear()));
    more.hidden = shown.length === found.length;
    more.textContent = `Show all ${found.length}`;
  }

  function clear() {
    text.value = "";
    change({ text: "", phase: "", region: "", family: "" });
    text.focus();
  }

  return {
    title: TITLE,
    element,
    async refresh() {
      const answer = await listConnections();
      ({ connections, families } = answer);
      draw();
      const pressing = connections.filter((one) => one.phase === "Blocked" || one.phase === "Degraded").length;
      return { title: pressing ? `(${pressing}) ${TITLE}` : TITLE, app: answer.app, interval: INTERVAL };
    },
  };
}

/** The state of all in one sentence. */
function words(connections) {
  const of = (name) => connections.filter((one) => one.phase === name).length;
  const [blocked, degraded] = [of("Blocked"), of("Degraded")];
  const active = connections.length - of("Ignored") - of("Removed");
  if (connections.length === 0) return ["No private connections yet"];
  const parts = [];
  if (blocked) parts.push(`${plural(blocked)} need${blocked === 1 ? "s" : ""} a person`);
  if (degraded) parts.push(`${parts.length ? degraded : plural(degraded)} ${degraded === 1 ? "is" : "are"} degraded`);
  if (parts.length) return [parts.join(", ")];
  const under = active - of("Ready");
  if (under) return [`${plural(under)} on ${under === 1 ? "its" : "their"} way, no person is needed`];
  return [active === 1 ? "The private connection works" : `All ${plural(active)} work`];
}

/** What others changed or deleted, and the app has put right. */
const repairs = (number) => `repaired ${number} time${number === 1 ? "" : "s"} today`;

/** The targets that a connection leads to, by name. */
const names = (one) => one.targets.map((target) => target.name).join(", ");

const plural = (number) => `${number} connection${number === 1 ? "" : "s"}`;

function drawTiles(totals, tiles, connections, chosen, choose) {
  const counted = new Map(PHASE_ORDER.map((name) => [name, 0]));
  for (const one of connections) counted.set(one.phase, (counted.get(one.phase) ?? 0) + 1);
  for (const [name, number] of counted) {
    const { label, mark: shape, tone, about } = phase(name);
    const tile = tiles.get(name) ?? h("button", { type: "button", title: about, "data-phase": name, onclick: () => choose(name) });
    tiles.set(name, tile);
    tile.className = `tile tone-${number ? tone : "quiet"}${number ? "" : " zero"}`;
    tile.setAttribute("aria-pressed", String(name === chosen));
    tile.replaceChildren(h("span", { class: "number" }, mark(shape, number ? tone : "quiet", 18), String(number)), h("span", { class: "label" }, label));
  }
  arrange(totals, [...tiles.values()]);
}

function drawRegions(select, connections, chosen) {
  const regions = [...new Set(connections.map((one) => one.region).filter(Boolean))].sort();
  if (chosen && !regions.includes(chosen)) regions.push(chosen);
  const wanted = ["", ...regions].join(" ");
  if (select.dataset.regions !== wanted) {
    select.dataset.regions = wanted;
    select.replaceChildren(h("option", { value: "" }, "All regions"), ...regions.map((name) => h("option", { value: name }, name)));
  }
  select.value = chosen;
}

/** Deployments or projects, with how many connections lead to each; hidden while there is one family only. */
function drawFamilies(select, counted, chosen) {
  const there = Object.entries(counted ?? {}).filter(([name, number]) => number > 0 || name === chosen);
  const options = there.map(([name, number]) => [name, `${family(name).many} (${number})`]);
  const wanted = JSON.stringify(options);
  if (select.dataset.families !== wanted) {
    select.dataset.families = wanted;
    select.replaceChildren(...[["", "All targets"], ...options].map(([value, label]) => h("option", { value }, label)));
  }
  select.hidden = there.length < 2 && !chosen;
  select.value = chosen;
}

function drawHeader(cell, { sort, down }) {
  if (cell.dataset.key === sort) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
  else cell.removeAttribute("aria-sort");
}

function matches(one, { phase: wanted, region, family: kind, text }) {
  if ((wanted && one.phase !== wanted) || (region && one.region !== region) || (kind && one.family !== kind)) return false;
  const all = [one.name, one.endpointId, one.region, one.family && family(one.family).many, one.phase, one.reason, one.message, one.nextStep, one.id, names(one), one.address, one.vnetId, one.subscription].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

function comparer({ sort, down }) {
  const { order } = COLUMNS.find((column) => column.key === sort) ?? COLUMNS[0];
  const key = (one) => [...order(one), one.name.toLowerCase(), one.id];
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [left, right] = [key(one), key(other)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : sign * (left[at] < right[at] ? -1 : 1);
  };
}

function row(rows, one) {
  const now = JSON.stringify(one);
  const known = rows.get(one.id);
  if (known?.now === now) return known.element;
  const element = known?.element ?? h("tr", { "data-id": one.id });
  const { label, mark: shape, tone, about } = phase(one.phase);
  const link = element.querySelector("a") ?? h("a", { "data-inside": "" });
  link.href = `/api/dashboard/${encodeURIComponent(one.id)}`;
  link.textContent = one.name || one.id;
  const nextStep = one.ready !== "True" && one.nextStep;
  element.replaceChildren(
    h("td", { class: "c-phase" }, h("span", { class: `phase tone-${tone}`, title: about }, mark(shape, tone), label),
      one.mode === "observe" && h("span", { class: "sub muted mode", title: "Nothing is changed for it." }, "observed only")),
    h("th", { scope: "row", class: "c-name" }, link, h("span", { class: "muted sub" }, resourceGroup(one.endpointId))),
    h("td", { class: "c-region" }, one.region || "–",
      one.family && one.family !== "hosted" && h("span", { class: "sub muted", title: family(one.family).about }, family(one.family).many.toLowerCase())),
    h("td", { class: "c-target" }, names(one) || "–", one.address && h("span", { class: "sub muted" }, one.address),
      one.testedAt && h("span", { class: "sub muted" }, "tested ", since(one.testedAt), " ago", one.latencyMs === null ? "" : `, ${one.latencyMs} ms`)),
    h("td", { class: "c-reason" }, h("span", { class: one.ready === "False" ? "message" : "message muted" }, one.message || about),
      nextStep && h("span", { class: "next" }, h("b", {}, "Next "), nextStep),
      one.repairedToday > 0 && h("span", { class: "sub muted", title: "Others changed it; the journal has each time." }, repairs(one.repairedToday))),
    h("td", { class: "c-since" }, since(one.since)),
  );
  rows.set(one.id, { now, element });
  return element;
}

function nothing(all, clear) {
  if (all > 0) return [h("p", {}, "No connection matches."), h("button", { type: "button", onclick: clear }, "Show all")];
  return [
    h("p", {}, "Create an Azure private endpoint with Elastic's service alias, and tag it ", h("code", {}, "elastic-deployments"), "."),
    h("p", { class: "muted" }, "It appears here within seconds, or with the next sweep."),
  ];
}

/** Up and down go from row to row. */
function moveInTable(event, body) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const inTable = body.contains(event.target);
  if (!step || !(inTable || (event.target.id === "filter" && step === 1))) return;
  const links = [...body.querySelectorAll("a")];
  const at = links.indexOf(event.target.closest("tr")?.querySelector("a"));
  const next = links[inTable ? at + step : 0];
  if (next) next.focus();
  else if (inTable && step === -1) document.getElementById("filter").focus();
  event.preventDefault();
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const sort = query.get("sort") ?? "phase";
  return {
    text: query.get("q") ?? "", phase: query.get("phase") ?? "", region: query.get("region") ?? "", family: query.get("family") ?? "",
    sort: COLUMNS.some((column) => column.key === sort) ? sort : "phase", down: query.get("order") === "down", all: false,
  };
}

/** The filter stands in the address: it survives a reload, and can be sent to a colleague. */
function writeAddress({ text, phase: wanted, region, family: kind, sort, down }) {
  const query = new URLSearchParams();
  const values = { q: text, phase: wanted, region, family: kind, sort: sort === "phase" ? "" : sort, order: down ? "down" : "" };
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  const suffix = query.size ? `?${query}` : "";
  history.replaceState(history.state, "", location.pathname + suffix);
}
