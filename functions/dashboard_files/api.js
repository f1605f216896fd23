// Calls of the app's HTTP API. Keys go in headers, never into an address.

import { currentKey, decidingKey, forgetDecidingKey, forgetKey } from "./key.js";

/** The app refused the key, or there is none: ask for one. */
export class KeyNeeded extends Error {}

/** The caller may read and not decide: ask for a deciding key. */
export class DecidingKeyNeeded extends Error {}

/** Anything else that went wrong, in words for a person. */
export class ApiError extends Error {
  constructor(message, { code = "", nextStep = "", correlationId = "" } = {}) {
    super(message);
    Object.assign(this, { code, nextStep, correlationId });
  }
}

/** All connections, page by page. */
export async function listConnections() {
  const answer = await call("/api/connections");
  const connections = answer.items;
  for (let { next } = answer; next;) {
    const page = await call(`/api/connections?${new URLSearchParams({ cursor: next })}`);
    connections.push(...page.items);
    ({ next } = page);
  }
  return { ...answer, connections };
}

export const getConnection = (id) => call(`/api/connections/${encodeURIComponent(id)}`);
export const getJournal = (id, limit, before) => call(paged(id, "journal", limit, before));
export const getChecks = (id, limit, before) => call(paged(id, "checks", limit, before));
export const checkNow = (id) => call(`/api/connections/${encodeURIComponent(id)}/check`, "POST");
export const runAgain = (id) => call(`/api/connections/${encodeURIComponent(id)}/reconcile`, "POST");

export const getOperation = (url) => call(url);

function paged(id, what, limit, before) {
  const query = new URLSearchParams({ limit });
  if (before) query.set("cursor", before);
  return `/api/connections/${encodeURIComponent(id)}/${what}?${query}`;
}

async function call(path, method = "GET") {
  const key = currentKey();
  const deciding = method === "GET" ? "" : decidingKey();
  const headers = { ...(key && { "x-functions-key": key }), ...(deciding && { "x-autopilot-key": deciding }) };
  let answer;
  try {
    // Not followed: a redirect is App Service authentication asking for a new sign-in, which only a page can do.
    answer = await fetch(path, { method, headers, cache: method === "GET" ? "no-cache" : "no-store", redirect: "manual" });
  } catch {
    throw new ApiError("The app does not answer.", { nextStep: "Check the network, and that the function app runs." });
  }
  if (answer.type === "opaqueredirect") {
    throw new ApiError("Your sign-in has ended.", { nextStep: "Reload this page to sign in again." });
  }
  if (answer.status === 401) {
    forgetKey(key);
    throw new KeyNeeded(key ? "The app does not accept this key." : "");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 403 && body.error?.code === "DecisionNotPermitted") {
    forgetDecidingKey(deciding);
    throw new DecidingKeyNeeded(deciding ? "The app does not accept this deciding key." : "");
  }
  if (!answer.ok) throw new ApiError(body.error?.message ?? `The app answered ${answer.status}.`, body.error);
  return body;
}
