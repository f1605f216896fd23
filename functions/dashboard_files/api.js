// Calls of the app's HTTP API. Keys go in headers, never into an address.

import { currentKey, decidingKey, forgetKey } from "./key.js";
import { setClock } from "./time.js";

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

const MOST = 1000; // connections of a page

/** The first `wanted` connections that the filters in `query` mean, in its order. */
export async function listConnections(query, wanted) {
  const read = (more) => call(`/api/connections?${new URLSearchParams({ ...query, ...more })}`);
  const answer = await read({ limit: Math.min(MOST, wanted) });
  const connections = [...answer.items];
  for (let { next } = answer; next && connections.length < wanted;) {
    const page = await read({ limit: Math.min(MOST, wanted - connections.length), cursor: next });
    connections.push(...page.items);
    ({ next } = page);
  }
  return { ...answer, connections };
}

/** All of them as a table for spreadsheets. */
export const exportConnections = (query) => call(`/api/connections?${new URLSearchParams({ ...query, format: "csv" })}`, "GET", null, "text");

export const getConnection = (id) => call(`/api/connections/${encodeURIComponent(id)}`);
export const getJournal = (id, limit, before) => call(paged(id, "journal", limit, before));
export const getChecks = (id, limit, before) => call(paged(id, "checks", limit, before));
export const checkNow = (id) => call(`/api/connections/${encodeURIComponent(id)}/check`, "POST");
export const runAgain = (id) => call(`/api/connections/${encodeURIComponent(id)}/reconcile`, "POST");
export const decide = (id, decision) => call(`/api/connections/${encodeURIComponent(id)}/decisions`, "POST", decision);
export const decideAll = (decision) => call("/api/decisions", "POST", decision);
export const getRemovals = () => call("/api/removals");
export const getRecovered = () => call("/api/recovered");
export const getOperation = (url) => call(url);

function paged(id, what, limit, before) {
  const query = new URLSearchParams({ limit });
  if (before) query.set("cursor", before);
  return `/api/connections/${encodeURIComponent(id)}/${what}?${query}`;
}

async function call(path, method = "GET", body = null, kind = "json") {
  const key = currentKey();
  const deciding = method === "GET" ? "" : decidingKey();
  const headers = {
    ...(key && { "x-functions-key": key }), ...(deciding && { "x-autopilot-key": deciding }), ...(body && { "content-type": "application/json" }),
  };
  let answer;
  try {
    // Not followed: a redirect is App Service authentication asking for a new sign-in, which only a page can do.
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), cache: method === "GET" ? "no-cache" : "no-store", redirect: "manual",
    });
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
  setClock(answer.headers.get("date"));
  const said = await answer.text();
  if (answer.ok) return kind === "text" ? said : JSON.parse(said);
  const { error } = parsed(said);
  // The keys stay: a rule of the network may have refused, and a key that was just stored takes a moment to count.
  if (error?.code === "DecisionNotPermitted") throw new DecidingKeyNeeded(deciding ? `${error.message} ${error.nextStep}` : "");
  throw new ApiError(error?.message ?? `The answer was ${answer.status}${quoted(said)}`, error);
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** What another than the app said: a firewall, or the host. */
function quoted(text) {
  const words = text.replace(/<(style|script)[^]*?<\/\1>|<[^>]*>/gi, " ").replace(/\s+/g, " ").trim();
  return words ? `: “${words.slice(0, 200)}”` : ".";
}
