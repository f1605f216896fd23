// What a person asks the app to do, from the button to its end: asked for, followed, and what came of it.

import { ApiError, DecidingKeyNeeded, getOperation } from "./api.js";
import { announce, h } from "./dom.js";
import { decidingForm } from "./key.js";
import { spaced } from "./words.js";

const NAME = "autopilot.asked.";

/** What is asked for on the page of `id`; `refresh` is called when there is news. It outlives a reload in this tab. */
export function operations(id, refresh) {
  const buttons = new Set();
  const permission = h("div");
  const said = h("p", { class: "said muted", role: "status" });
  let asked = JSON.parse(sessionStorage.getItem(NAME + id) ?? "null");
  if (asked) say(`${asked.label}: asked for. Correlation id ${asked.correlationId}`);

  function remember(value) {
    asked = value;
    if (value) sessionStorage.setItem(NAME + id, JSON.stringify(value));
    else sessionStorage.removeItem(NAME + id);
    for (const button of buttons) button.disabled = value !== null;
  }

  function say(text) {
    said.textContent = text;
  }

  async function send(label, ask) {
    for (const button of buttons) button.disabled = true;
    permission.replaceChildren();
    try {
      const { correlationId, statusUrl, does } = await ask();
      remember(statusUrl ? { label, correlationId, statusUrl } : null);
      say(statusUrl ? `${label}: asked for. ${does ?? ""} Correlation id ${correlationId}` : `${label}: done.`);
    } catch (error) {
      remember(null);
      if (error instanceof DecidingKeyNeeded) permission.replaceChildren(decidingForm(error.message, () => send(label, ask)));
      else say(error instanceof ApiError ? `${error.message} ${error.nextStep}` : "The app refused.");
    }
    refresh();
  }

  /** Say how it ended, once it has. */
  async function follow() {
    if (!asked) return;
    let found;
    try {
      found = await getOperation(asked.statusUrl);
    } catch (error) {
      if (error.code !== "OperationNotFound") throw error;
      say(`${asked.label}: ${error.message}`);
      remember(null);
      return;
    }
    const { status, outcome, connections: [mine] } = found;
    if (status === "Running") return;
    const changed = mine?.changed.length ? `${mine.changed.length} changes, see the journal` : "nothing to do";
    const how = `done, ${spaced(mine?.reason ?? mine?.phase ?? "").toLowerCase()}; ${changed}.`;
    say(`${asked.label}: ${status === "Failed" ? outcome : how}`);
    announce(said.textContent);
    remember(null);
  }

  return {
    element: [said, permission],
    busy: () => asked !== null,
    follow,
    /** A button that sends at once. */
    button(label, kind, ask) {
      const made = h("button", { type: "button", class: kind, disabled: asked !== null, onclick: () => send(label, ask) }, label);
      buttons.add(made);
      return made;
    },
    send,
  };
}
