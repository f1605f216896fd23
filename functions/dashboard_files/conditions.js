// The conditions of a connection: each with its reason, since when, and the next step.

import { copyButton, h } from "./dom.js";
import { mark } from "./marks.js";
import { since } from "./time.js";
import { standing } from "./words.js";

/** The table of conditions. */
export function conditions(connection) {
  const rows = connection.conditions.filter((one) => one.type !== "Ready");
  return [
    h("h2", {}, "Conditions"),
    h("table", { class: "conditions" },
      h("thead", {}, h("tr", {}, ["Condition", "Reason", "What is seen", "For"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map(row))),
  ];
}

/** A CamelCase word that may break between its words. */
function breakable(word) {
  return word.split(/(?<=[a-z0-9])(?=[A-Z])/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));
}

/** A reason that leads to what it means, and what to do about it. */
export function explained(reason, shown) {
  return h("a", { href: `${new URL("./reasons.html", import.meta.url)}#${reason.toLowerCase()}`, target: "_blank" }, shown);
}

/** What a person runs about it, as the app fills it in, ready to be pasted; or the page of Azure's that helps. */
export function remedy({ reason, remedy: found }) {
  if (!found) return null;
  const text = found.commands.join("\n");
  return h("div", { class: "remedy" },
    text && h("details", {}, h("summary", {}, found.commands.length === 1 ? "The command" : "The commands"),
      h("div", { class: "with-copy" }, h("pre", {}, h("code", {}, text)), copyButton(text, `the commands about ${reason}`))),
    found.onlyInAzure && h("p", {}, "Only in Azure: ", h("a", { href: found.onlyInAzure, target: "_blank", rel: "noreferrer" }, new URL(found.onlyInAzure).pathname.split("/").pop())));
}

function row(one) {
  const { label, mark: shape, tone } = standing(one);
  return h("tr", { class: one.status === "True" ? "" : `wanting tone-${tone}`, "data-condition": one.type, "data-status": one.status },
    h("th", { scope: "row" }, h("span", { class: "phase" }, mark(shape, tone), one.type), h("span", { class: one.status === "True" ? "unseen" : "sub muted" }, label)),
    h("td", {}, explained(one.reason, h("code", {}, breakable(one.reason)))),
    h("td", {}, h("span", { class: "message" }, one.message), one.nextStep && h("span", { class: "next" }, h("b", {}, "Next "), one.nextStep), remedy(one)),
    h("td", { class: "c-since" }, since(one.since)));
}
