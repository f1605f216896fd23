// Begins here: finds the key, shows the page that the address names, and keeps it fresh.

import { KeyNeeded } from "./api.js";
import { detail } from "./detail.js";
import { h, section } from "./dom.js";
import { borrowKey, keyForm, takeKeyFromAddress } from "./key.js";
import { overview } from "./overview.js";
import { exact, now, showExactly, tick } from "./time.js";

const TICK = 1000;
const LONGEST_WAIT = 60_000; // milliseconds between two tries while the app does not answer

const main = document.getElementById("main");
const notices = section(document.getElementById("notices"), (all) => all.map(({ tone, title, text }) => (
  h("p", { class: `notice tone-${tone}`, role: tone === "bad" ? "alert" : "note" }, h("strong", {}, title), ` ${text}`))));
const version = document.getElementById("version");
const freshness = document.getElementById("freshness");
const refreshButton = document.getElementById("refresh");
const exactButton = document.getElementById("exact");

let view = null;
let timer = 0;
let failures = 0;
let freshAt = 0;
let turn = 0;
let restored = false; // whether what this place of the history shows stands where it was

/** Show what the address names. */
function route() {
  const [, id] = /^\/api\/dashboard\/([^/]+)\/?$/i.exec(location.pathname) ?? [];
  view = id === undefined ? overview({ refresh, kept: history.state ?? {} }) : detail(decodeURIComponent(id), { refresh });
  freshAt = 0;
  restored = false;
  document.title = view.title;
  main.replaceChildren(view.element);
  window.scrollTo(0, 0);
  refresh();
}

/** Read anew and show; the next time follows by itself. */
async function refresh() {
  clearTimeout(timer);
  const asked = view;
  turn += 1;
  const mine = turn;
  let wait;
  try {
    const shown = await asked.refresh();
    if (asked !== view || mine !== turn) return;
    failures = 0;
    freshAt = now();
    document.title = shown.title;
    showNotices(shown.app);
    version.textContent = shown.app?.version ? `Version ${shown.app.version}` : "";
    wait = shown.interval;
    if (!restored) window.scrollTo(0, history.state?.y ?? 0);
    restored = true;
  } catch (error) {
    if (asked !== view || mine !== turn) return;
    if (error instanceof KeyNeeded) {
      askForKey(error.message);
      return;
    }
    if (error.code === "ConnectionNotFound" || error.code === "InvalidConnectionId") {
      sayThereIsNone(error.message);
      return;
    }
    failures += 1;
    showNotices(null, error);
    wait = Math.min(LONGEST_WAIT, 3000 * 2 ** failures);
  }
  refreshButton.hidden = false;
  showFreshness();
  if (!document.hidden) timer = setTimeout(refresh, wait);
}

function askForKey(why) {
  freshAt = 0;
  refreshButton.hidden = true;
  notices.show([]);
  main.replaceChildren(keyForm(why, route));
  showFreshness();
}

function sayThereIsNone(why) {
  refreshButton.hidden = true;
  document.title = "No such connection · Private Link Autopilot";
  showNotices(null);
  main.replaceChildren(h("div", { class: "panel empty" }, h("h1", {}, "No such connection"), h("p", {}, why),
    h("p", { class: "muted" }, "It may have been removed long ago, or the address is cut short."),
    h("p", {}, h("a", { href: "/api/dashboard", "data-inside": "" }, "All connections"))));
}

/** How the whole app stands, and what went wrong with reading it. */
function showNotices(app, problem) {
  const found = [];
  if (problem) {
    const last = freshAt ? ` What you see is of ${exact(new Date(freshAt).toISOString())}.` : "";
    const id = problem.correlationId ? ` Correlation id ${problem.correlationId}.` : "";
    found.push(notice("bad", problem.message, `${problem.nextStep ?? ""}${last}${id}`));
  }
  for (const one of app?.problems ?? []) found.push(notice("bad", one.message, one.nextStep));
  if (app?.paused) {
    const why = app.paused.reason ? ` (${app.paused.reason})` : "";
    found.push(notice("warn", `Paused until ${exact(app.paused.until)}${why}.`, "Until then the app plans and tests, and changes nothing."));
  } else if (app?.mode && app.mode !== "enforce") {
    found.push(notice("wait", `Mode ${app.mode}.`, "The app plans, tests and reports; it changes nothing unless an endpoint's tag asks for it."));
  }
  notices.show(found);
}

function notice(tone, title, text) {
  return { tone, title, text };
}

function showFreshness() {
  const seconds = Math.max(0, Math.round((now() - freshAt) / 1000));
  const text = freshAt ? (seconds < 2 ? "Up to date" : `Read ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} ago`) : "";
  freshness.textContent = text;
  freshness.classList.toggle("stale", failures > 0);
}

/** Links inside the page change it without loading it anew, so that the key and the scripts stay. */
function follow(event) {
  const link = event.target.closest?.("a[data-inside]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  remember();
  if (link.href !== location.href) history.pushState(null, "", link.href);
  route();
  main.focus({ preventScroll: true });
}

/** Keep where this page stands, for the way back. */
function remember() {
  if (restored) history.replaceState({ ...history.state, y: window.scrollY, ...view.keeps?.() }, "");
}

let settled = 0;
addEventListener("scroll", () => {
  clearTimeout(settled);
  settled = setTimeout(remember, 150);
});
addEventListener("pagehide", remember);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
exactButton.addEventListener("click", () => {
  const wanted = exactButton.getAttribute("aria-pressed") !== "true";
  exactButton.setAttribute("aria-pressed", String(wanted));
  showExactly(wanted);
});
history.scrollRestoration = "manual";
takeKeyFromAddress();
await borrowKey();
document.addEventListener("click", follow);
addEventListener("popstate", () => { // an address with a key pasted into this tab, too: only its fragment is new
  takeKeyFromAddress();
  route();
});
refreshButton.addEventListener("click", refresh);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
setInterval(() => {
  tick();
  showFreshness();
}, TICK);
route();
