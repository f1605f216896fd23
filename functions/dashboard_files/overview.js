// All connections: how many stand how, and a table that the app filters, sorts and pages.

import { exportConnections, listConnections } from "./api.js";
import { explained } from "./conditions.js";
import { installationDecisions, readInstallation } from "./decisions.js";
import { arrange, h, section } from "./dom.js";
import { moveInTable, nothing, readAddress, save, words, writeAddress } from "./filters.js";
import { mark } from "./marks.js";
import { operations } from "./operations.js";
import { since } from "./time.js";
import { PHASES, PHASE_ORDER, family, lastSegment, phase, plural, resourceGroup, spaced } from "./words.js";

const INTERVAL = 15_000;
const ROWS = 100; // read at first; a button reads as many more
const PATIENCE = 250; // milliseconds after a keystroke
const TITLE = "Private Link Autopilot";

/** `sorts`: the API's word for the first and for the second click. */
const COLUMNS = [
  { key: "phase", label: "Phase", sorts: ["phase", "-phase"] },
  { key: "name", label: "Connection", sorts: ["name", "-name"] },
  { key: "region", label: "Region", sorts: ["region", "-region"] },
  { key: "target", label: "Target", sorts: ["target", "-target"] },
  { key: "tested", label: "Last test", sorts: ["-tested", "tested"] },
  { key: "reason", label: "What is going on, and what is next", sorts: ["reason", "-reason"] },
  { key: "since", label: "For", sorts: ["-since", "since"] },
];
const SORTS = COLUMNS.flatMap(({ sorts }) => sorts);

/** The page of all connections; `kept` is what `keeps` said when it was left. */
export function overview({ refresh, kept }) {
  const state = { ...readAddress(SORTS), rows: kept.rows ?? ROWS };
  const rows = new Map();
  const tiles = new Map();
  const asked = operations("", refresh);
  let turn = 0;
  let waiting = 0;

  const headline = h("h1", { class: "headline" }, "Reading …");
  const deciding = section(h("section", { class: "panel", "aria-label": "Decisions" }), installationDecisions(asked));
  const totals = h("div", { class: "totals", role: "group", "aria-label": "Filter by phase" });
  const text = h("input", {
    type: "search", id: "filter", placeholder: "Filter by name, target, address, network, reason …", "aria-label": "Filter", spellcheck: "false",
    value: state.q, oninput: (event) => change({ q: event.target.value }, PATIENCE),
  });
  const select = (name, label) => h("select", { id: name, "aria-label": label, onchange: (event) => change({ [name]: event.target.value }) });
  const region = select("region", "Region");
  const subscription = select("subscription", "Subscription");
  const targets = select("family", "Targets");
  const saving = h("button", { type: "button", class: "quiet", onclick: () => exportConnections(query()).then((all) => save("connections.csv", all), refresh) }, "Export CSV");
  const count = h("p", { class: "muted count", role: "status" });
  const head = h("tr", {}, COLUMNS.map(header));
  const body = h("tbody");
  const table = h("table", { class: "connections" }, h("caption", { class: "unseen" }, "Private connections"), h("thead", {}, head), body);
  const empty = h("div", { class: "panel empty" });
  const more = h("button", { type: "button", class: "quiet more", onclick: () => { state.rows += ROWS; refresh(); } });
  const meanings = h("details", { class: "meanings" }, h("summary", {}, "What the phases mean"),
    h("dl", { class: "facts" }, Object.values(PHASES).flatMap(({ label, about }) => [h("dt", {}, label), h("dd", {}, about)])));
  const element = h("div", {}, headline, deciding.element, asked.element, totals,
    h("div", { class: "filters" }, text, region, subscription, targets, count, saving), table, empty, more, meanings);

  element.addEventListener("keydown", (event) => moveInTable(event, body));
  document.addEventListener("keydown", hotkey);

  function hotkey(event) {
    if (!element.isConnected) return document.removeEventListener("keydown", hotkey);
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      text.focus();
    }
    if (event.key === "Escape" && event.target === text && state.q) {
      text.value = "";
      change({ q: "" });
    }
    return undefined;
  }

  function header({ key, label, sorts }) {
    const [first, second] = sorts;
    const button = h("button", { type: "button", onclick: () => change({ sort: state.sort === first ? second : first }) },
      label, h("span", { class: "arrow", "aria-hidden": "true" }));
    return h("th", { scope: "col", class: `c-${key}` }, button);
  }

  /** What is asked of the app. Removed connections are left out until they are asked for. */
  function query() {
    const { q, phase: wanted, region: to, family: kind, subscription: of, target, sort } = state;
    const given = { q: q.trim(), phase: wanted || "-Removed", region: to, family: kind, subscription: of, target, sort };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
  }

  function change(some, patience = 0) {
    Object.assign(state, some, { rows: ROWS });
    writeAddress(state);
    drawHead();
    clearTimeout(waiting);
    waiting = setTimeout(refresh, patience);
  }

  function drawHead() {
    COLUMNS.forEach(({ sorts }, index) => {
      const at = sorts.indexOf(state.sort);
      if (at < 0) head.children[index].removeAttribute("aria-sort");
      else head.children[index].setAttribute("aria-sort", at ? "descending" : "ascending");
    });
  }

  function draw({ connections, matching, phases = {}, families = {}, regions = {}, subscriptions = {}, repairedToday = 0 }) {
    const counted = { ...Object.fromEntries(PHASE_ORDER.map((name) => [name, 0])), ...phases };
    const all = Object.entries(counted).reduce((sum, [name, number]) => sum + (name === "Removed" && state.phase !== name ? 0 : number), 0);
    headline.replaceChildren(...words(counted));
    drawTiles(totals, tiles, counted, state.phase, (name) => change({ phase: name === state.phase ? "" : name }));
    drawOptions(region, "All regions", Object.keys(regions).sort().map((name) => [name, name]), state.region);
    drawOptions(subscription, "All subscriptions", Object.entries(subscriptions).map(([name, number]) => [name, `${name} (${number})`]), state.subscription);
    const kinds = Object.entries(families).filter(([name, number]) => number > 0 || name === state.family);
    drawOptions(targets, "All targets", kinds.map(([name, number]) => [name, `${family(name).many} (${number})`]), state.family);
    count.textContent = [matching === all ? plural(all) : `${matching} of ${plural(all)}`, repairedToday && repairs(repairedToday)].filter(Boolean).join(", ");
    drawHead();
    arrange(body, connections.map((one) => row(rows, one)));
    const there = new Set(connections.map((one) => one.id));
    for (const id of rows.keys()) if (!there.has(id)) rows.delete(id);
    table.hidden = connections.length === 0;
    empty.hidden = connections.length > 0;
    empty.replaceChildren(...nothing(all, clear));
    more.hidden = connections.length >= matching;
    more.textContent = `Show ${Math.min(ROWS, matching - connections.length)} more of ${matching}`;
  }

  function clear() {
    text.value = "";
    change({ q: "", phase: "", region: "", family: "", subscription: "", target: "" });
    text.focus();
  }

  return {
    title: TITLE,
    element,
    keeps: () => ({ rows: state.rows }),
    async refresh() {
      turn += 1;
      const mine = turn;
      const answer = await listConnections(query(), state.rows);
      const { phases = {}, app } = answer;
      const waits = await readInstallation(app?.problems ?? []);
      await asked.follow();
      if (mine === turn) {
        draw(answer);
        deciding.show(waits);
      }
      const pressing = (phases.Blocked ?? 0) + (phases.Degraded ?? 0);
      return { title: pressing ? `(${pressing}) ${TITLE}` : TITLE, app, interval: INTERVAL };
    },
  };
}

/** What others changed or deleted, and the app has put right. */
const repairs = (number) => `repaired ${number} time${number === 1 ? "" : "s"} today`;

/** The targets that a connection leads to, by name. */
const names = (one) => one.targets.map((target) => target.name).join(", ");

function drawTiles(totals, tiles, counted, chosen, choose) {
  for (const [name, number] of Object.entries(counted)) {
    const { label, mark: shape, tone } = phase(name);
    const tile = tiles.get(name) ?? h("button", { type: "button", "data-phase": name, onclick: () => choose(name) });
    tiles.set(name, tile);
    tile.className = `tile tone-${number ? tone : "quiet"}${number ? "" : " zero"}`;
    tile.setAttribute("aria-pressed", String(name === chosen));
    tile.replaceChildren(h("span", { class: "number" }, mark(shape, number ? tone : "quiet", 18), String(number)), h("span", { class: "label" }, label));
  }
  arrange(totals, [...tiles.values()]);
}

/** A choice among what there is; hidden while there is nothing to choose. */
function drawOptions(select, every, options, chosen) {
  const all = chosen && !options.some(([name]) => name === chosen) ? [...options, [chosen, chosen]] : options;
  const wanted = JSON.stringify(all);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    select.replaceChildren(...[["", every], ...all].map(([value, label]) => h("option", { value }, label)));
  }
  select.hidden = all.length < 2 && !chosen;
  select.value = chosen;
}

function row(rows, one) {
  const shown = JSON.stringify(one);
  const known = rows.get(one.id);
  if (known?.shown === shown) return known.element;
  const element = known?.element ?? h("tr", { "data-id": one.id });
  const { label, mark: shape, tone, about } = phase(one.phase);
  const link = element.querySelector("a") ?? h("a", { "data-inside": "" });
  link.href = `/api/dashboard/${encodeURIComponent(one.id)}`;
  link.textContent = one.name || one.id;
  const nextStep = one.ready !== "True" && one.nextStep;
  const tested = one.testedAt && [since(one.testedAt), " ago", one.latencyMs !== null && h("span", { class: "sub muted" }, `${one.latencyMs} ms`)];
  element.replaceChildren(
    h("td", { class: "c-phase" }, h("span", { class: `phase tone-${tone}` }, mark(shape, tone), label),
      one.mode === "observe" && h("span", { class: "sub muted mode" }, "observed only: nothing is changed")),
    h("th", { scope: "row", class: "c-name" }, link, h("span", { class: "muted sub" }, resourceGroup(one.endpointId)), h("span", { class: "muted sub" }, one.subscription)),
    h("td", { class: "c-region" }, one.region || "–",
      one.family && one.family !== "hosted" && h("span", { class: "sub muted" }, family(one.family).many.toLowerCase())),
    h("td", { class: "c-target" }, names(one) || "–", one.address && h("span", { class: "sub muted" }, one.address),
      one.vnetId && h("span", { class: "sub muted" }, lastSegment(one.vnetId))),
    h("td", { class: "c-tested" }, tested || "–"),
    h("td", { class: "c-reason" },
      one.reason && one.ready !== "True" && explained(one.reason, h("b", {}, spaced(one.reason))),
      h("span", { class: one.ready === "False" ? "message" : "message muted" }, one.message || about),
      nextStep && h("span", { class: "next" }, h("b", {}, "Next "), nextStep),
      one.repairedToday > 0 && h("span", { class: "sub muted" }, `${repairs(one.repairedToday)}: the journal has each time`)),
    h("td", { class: "c-since" }, since(one.since)),
  );
  rows.set(one.id, { shown, element });
  return element;
}
