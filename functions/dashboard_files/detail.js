// One connection in depth: what it needs, the path with its broken hop, conditions, checks, addresses, journal.

import { checkNow, getChecks, getConnection, getJournal, runAgain } from "./api.js";
import { conditions, explained } from "./conditions.js";
import { decisions } from "./decisions.js";
import { copyButton, h, section } from "./dom.js";
import { advice, facts, leftovers, things } from "./facts.js";
import { journal } from "./journal.js";
import { mark } from "./marks.js";
import { operations } from "./operations.js";
import { hops, pathPicture } from "./path.js";
import { plot } from "./plot.js";
import { since } from "./time.js";
import { fleet, urls } from "./urls.js";
import { phase, spaced, standing } from "./words.js";

const CALM = 10_000;
const BUSY = 2_000; // milliseconds, while something is on its way
const ON_ITS_WAY = new Set(["Provisioning", "AwaitingApproval", "Removing"]);

/** The page of the connection with this id. */
export function detail(id, { refresh }) {
  const asked = operations(id, refresh);
  const parts = {
    head: section(h("header", { class: "head" }), head),
    summary: section(h("div"), summary),
    evidence: section(h("ul", { class: "steps" }), ({ verdict }) => (verdict?.evidence ?? []).map((line) => h("li", {}, line))),
    path: pathPicture(),
    conditions: section(h("section", { class: "panel", "aria-label": "Conditions" }), conditions),
    plot: plot(() => refresh()),
    journal: journal((before) => getJournal(id, 50, before)),
    urls: section(h("section", { class: "panel", "aria-label": "Private URLs" }), urls()),
    fleet: section(h("section", { class: "panel", "aria-label": "Fleet settings" }), fleet()),
    facts: section(h("section", { class: "panel", "aria-label": "Facts" }), facts),
    advice: section(h("section", { class: "panel", "aria-label": "Good to know" }), advice),
    leftovers: section(h("section", { class: "panel", "aria-label": "Not done" }), leftovers),
    decisions: section(h("section", { class: "panel", "aria-label": "Decisions" }), decisions(id, asked)),
    things: section(h("section", { class: "panel", "aria-label": "What is used" }), things()),
  };
  const check = asked.button("Check now", "primary", () => checkNow(id));
  const again = asked.button("Run again", "", () => runAgain(id));
  const element = h("div", { class: "detail" },
    h("p", { class: "back" }, h("a", { href: "/api/dashboard", "data-inside": "" }, "← All connections")),
    h("div", { class: "top" }, parts.head.element, h("div", { class: "actions" }, check, again,
      h("p", { class: "said muted" }, "A check repairs first what may be repaired; a run brings everything to what it should be."), asked.element)),
    h("section", { class: "panel", "aria-label": "Summary" }, parts.summary.element,
      h("details", { class: "evidence" }, h("summary", {}, "Evidence"), parts.evidence.element)),
    parts.decisions.element,
    parts.path.element,
    h("div", { class: "columns" },
      h("div", { class: "wide" }, parts.plot.element, parts.advice.element, parts.conditions.element, parts.leftovers.element, parts.journal.element),
      h("div", { class: "slim" }, parts.urls.element, parts.fleet.element, parts.facts.element, parts.things.element)));

  return {
    title: "Connection · Private Link Autopilot",
    element,
    async refresh() {
      const [connection, checks, entries] = await Promise.all([
        getConnection(id), getChecks(id, parts.plot.limit()), getJournal(id, 20),
      ]);
      await asked.follow();
      const { app, ...rest } = connection;
      for (const name of ["head", "evidence", "advice", "conditions", "leftovers", "urls", "fleet", "facts", "things"]) parts[name].show(rest);
      parts.summary.show({ connection: rest, last: checks.items[0] ?? null });
      parts.path.show(hops(rest));
      parts.plot.show(checks);
      parts.journal.show(entries);
      parts.decisions.show(rest.decisions ?? []);
      const busy = asked.busy() || ON_ITS_WAY.has(rest.phase);
      const { label } = phase(rest.phase);
      return { title: `${rest.name} · ${label}`, app, interval: busy ? BUSY : CALM };
    },
  };
}

function head(connection) {
  const { label, mark: shape, tone, about } = phase(connection.phase);
  return [
    h("h1", {}, connection.name || connection.id, " ",
      h("span", { class: `phase badge tone-${tone}` }, mark(shape, tone), label)),
    h("p", { class: "muted" }, about),
    h("p", { class: "id" }, h("code", {}, connection.endpointId), copyButton(connection.endpointId, "the endpoint's id")),
  ];
}

/** What it comes to, and who must do what. */
function summary({ connection, last }) {
  const ready = connection.conditions.find((one) => one.type === "Ready");
  if (!ready) return h("p", {}, "Nothing is known yet: the first run has not ended.");
  const { label, mark: shape, tone } = standing(ready);
  if (ready.status === "True") {
    return h("p", { class: "sum" }, mark("ok", "good", 20), h("span", {}, ready.message.replace(/\.$/, ""), ", for ", since(ready.since), ".",
      last && h("span", { class: "muted" }, " Last tested ", since(last.at), " ago.")));
  }
  const { reason, cause } = connection.verdict ?? { reason: ready.reason, cause: ready.message };
  const wanting = connection.conditions.filter((one) => one.type !== "Ready" && one.status !== "True" && one.nextStep);
  const steps = wanting.length ? wanting : [ready].filter((one) => one.nextStep);
  return [
    h("p", { class: "sum" }, mark(shape, tone, 20),
      h("span", {}, explained(reason, h("strong", {}, spaced(reason), ". ")), cause, h("span", { class: "muted" }, " For ", since(ready.since), "."))),
    h("div", { class: `next-steps tone-${tone}` },
      h("p", { class: "who" }, label, steps.length > 0 && ready.needs !== "person" && ". What a person can do:"),
      steps.length
        ? h("ol", { class: steps.length === 1 ? "one" : "" }, steps.map((one) => h("li", {}, steps.length > 1 && h("b", {}, spaced(one.type), ": "), one.nextStep)))
        : h("p", {}, "No person needs to act now.")),
  ];
}
