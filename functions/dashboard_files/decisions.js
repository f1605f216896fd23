// What only a person can decide, each with what it does: it is sent once the person has said so twice.

import { decide, decideAll, getRecovered, getRemovals } from "./api.js";
import { h } from "./dom.js";
import { exact } from "./time.js";
import { lastSegment } from "./words.js";

/** The decisions that a connection's next steps ask for: null where there is none. */
export function decisions(id, { send }) {
  return (offered) => (offered.length === 0 ? null : [
    h("h2", {}, "Decisions"),
    h("ul", { class: "decisions" }, offered.map(({ decision, field, subject, does }) => {
      const words = decision.replaceAll("-", " ");
      const label = `${words.charAt(0).toUpperCase()}${words.slice(1)} ${subject}`;
      return h("li", {}, twice(label, does, () => send(label, () => decide(id, { decision, [field]: subject }))));
    })),
  ]);
}

/** What waits for a word about the whole installation: stopped removals, and what was recovered. */
export function installationDecisions({ send }) {
  return ({ removals, recovered }) => {
    const parts = [];
    if (removals?.stopped) {
      const { id, at, count, connections } = removals.stopped;
      const does = `The app goes on to take away what it made for ${count === 1 ? "this connection" : `these ${count} connections`}. Confirm only if they are really gone.`;
      const label = "Confirm removals";
      parts.push(h("li", {},
        h("p", {}, h("strong", {}, `Removals are stopped since ${exact(at)}: ${count} stand for removal, the limit is ${removals.limit}.`)),
        list(connections.map((one) => `${one.name}: ${one.made.length} made by the app`), count),
        twice(label, does, () => send(label, () => decideAll({ decision: "confirm-removals", stop: id })))));
    }
    if (recovered?.list) {
      const { list: wanted, count, entries } = recovered;
      const label = "Confirm recovered things";
      const does = "All on the list counts as made by the app from then on: it keeps it true, and removes it with its endpoint.";
      parts.push(h("li", {},
        h("p", {}, h("strong", {}, `${count} things have the app's marks and no row of its tables.`)),
        list(entries.map((one) => lastSegment(one.id)), count),
        twice(label, does, () => send(label, () => decideAll({ decision: "confirm-recovered", list: wanted })))));
    }
    return parts.length ? [h("h2", {}, "Decisions"), h("ul", { class: "decisions" }, parts)] : null;
  };
}

/** Both lists; each is read only while the app says that something waits. */
export async function readInstallation(problems) {
  const waits = (code) => problems.some((one) => one.code === code);
  const [removals, recovered] = await Promise.all([
    waits("RemovalsStopped") ? getRemovals() : null, waits("RecoveredUnconfirmed") ? getRecovered() : null,
  ]);
  return { removals, recovered };
}

function list(texts, all) {
  const shown = texts.slice(0, 20);
  const rest = all - shown.length;
  return h("ul", { class: "steps" }, shown.map((text) => h("li", {}, text)), rest > 0 && h("li", {}, `and ${rest} more`));
}

/** A button that asks once more, with what it does beside it all the time. */
function twice(label, does, send) {
  const no = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => ask(false) }, "Not now");
  const yes = h("button", { type: "button", class: "primary", hidden: true, onclick: () => { ask(false); send(); } }, `Yes, ${label.charAt(0).toLowerCase()}${label.slice(1)}`);
  const first = h("button", { type: "button", onclick: () => ask(true) }, label);
  function ask(open) {
    [first.hidden, yes.hidden, no.hidden] = [open, !open, !open];
    (open ? no : first).focus();
  }
  return [h("p", { class: "does" }, does), h("div", { class: "row" }, first, yes, no)];
}
