// What is known of a connection, and the things in Azure and Elastic Cloud that it uses, with whose they are.

import { explained, remedy } from "./conditions.js";
import { copyButton, few, h } from "./dom.js";
import { exact, since } from "./time.js";
import { family, lastSegment } from "./words.js";

const OWNERS = {
  ours: ["made by the app", "made by the app: it keeps it true and may remove it"],
  adopted: ["adopted", "adopted: others made it as it should be, the app uses it and never changes it"],
};
const BEGUN = ["begun", "begun: how its making ended is not known yet"];

/** Plain facts, in a list. */
export function facts(connection) {
  const rows = [
    ["Leads to", connection.region && `${family(connection.family).many.toLowerCase()} in Elastic's region ${connection.region}`],
    ["Azure location", connection.location],
    ["Virtual network", connection.vnetId && code(lastSegment(connection.vnetId), connection.vnetId)],
    ["Address", connection.address && code(connection.address)],
    ["Resource GUID", connection.guid && code(connection.guid)],
    ["Organization", connection.organization],
    ["Mode", connection.mode],
    ["On delete", connection.onDelete],
    ["Claim", connection.claim && `in ${connection.claim.region}, ${(OWNERS[connection.claim.owner] ?? [connection.claim.owner])[0]}`],
    ["Name servers", connection.network?.dnsServers?.join(", ")],
    ["First seen", moment(connection.firstSeen)],
    ["First ready", moment(connection.readySince)],
    ["Read in full", connection.observedAt && h("span", {}, since(connection.observedAt), " ago")],
    ["Looks again", connection.wakeAt && moment(connection.wakeAt)],
    ["Removing since", moment(connection.removingSince)],
    ["Runs", connection.generation],
  ];
  const shown = rows.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return [h("h2", {}, "Facts"), h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat())];
}

/** What a person should know though nothing is wrong. */
export function advice({ verdict }) {
  const all = verdict?.advice ?? [];
  if (all.length === 0) return null;
  return [h("h2", {}, "Good to know"), h("ul", { class: "advice" }, all.map((one) => h("li", {}, explained(one.reason, h("code", {}, one.reason)),
    h("span", { class: "message" }, one.message), one.nextStep && h("span", { class: "next" }, h("b", {}, "Next "), one.nextStep), remedy(one))))];
}

/** What the app would do if it might, and what a removal leaves behind: null where there is neither. */
export function leftovers({ planned, left }) {
  const list = (title, about, items) => items?.length > 0 && [
    h("h2", {}, title), h("p", { class: "muted" }, about), h("ul", { class: "steps" }, items.map((text) => h("li", {}, text))),
  ];
  const parts = [
    list("Planned, not done", "The next run does it, once mode and pause let it.", planned),
    list("Left behind", "The removal does not take these away.", left),
  ].filter(Boolean);
  return parts.length ? parts : null;
}

/** What draws zone, links, record, policy and associations. */
export function things() {
  const some = few("things", ([kind, { id }]) => `${kind} ${id}`);
  return (connection) => used(connection, some);
}

function used(connection, some) {
  const names = new Map(connection.targets.map((one) => [one.id, one.name]));
  const rows = [
    ["Zone", connection.zone],
    ...(connection.links ?? []).map((one) => ["Link", one]),
    ["Record", connection.record],
    ["Policy", connection.policy?.id ? connection.policy : null],
    ...(connection.associations ?? []).map((one) => ["Association", { id: names.get(one.targetId) ?? one.targetId, owner: one.owner }]),
  ].filter(([, thing]) => thing);
  if (rows.length === 0) return null;
  const about = [...new Set(rows.map(([, { owner }]) => (OWNERS[owner] ?? BEGUN)[1]))].join("; ");
  return [h("h2", {}, "What is used"), some(rows, ([kind, thing]) => item(kind, thing), h("ul", { class: "things" })), h("p", { class: "sub muted" }, `${about}.`)];
}

function item(kind, { id, owner }) {
  const [label] = OWNERS[owner] ?? BEGUN;
  return h("li", {}, h("span", { class: "muted kind" }, kind), h("span", { class: `owner ${owner ?? "begun"}` }, label),
    copyButton(id, `the id of the ${kind.toLowerCase()}`), named(lastSegment(id), id));
}

/** A name that opens to the whole id, for who cannot hover, and on paper. */
function named(text, whole) {
  if (text === whole) return h("code", {}, text);
  return h("details", { class: "named" }, h("summary", {}, h("code", {}, text)), h("code", { class: "muted" }, whole));
}

function code(text, whole = text) {
  return h("span", { class: "with-copy" }, named(text, whole), copyButton(whole, whole));
}

function moment(text) {
  return text ? h("time", { datetime: text }, exact(text)) : null;
}

