// The keys: taken out of the address, kept for this tab, asked for if missing. The function key, which lets this page
// read, is lent to other tabs of the page; the deciding key is not: who decides says so in each tab.

import { h } from "./dom.js";

const NAME = "autopilot.key";
const DECIDING = "autopilot.deciding";
const LEND_MILLISECONDS = 250;
const tabs = new BroadcastChannel("autopilot.key");

/** The key of this tab, or "". */
export const currentKey = () => sessionStorage.getItem(NAME) ?? "";

/** The key of one who may decide, as this tab has it, or "". */
export const decidingKey = () => sessionStorage.getItem(DECIDING) ?? "";

/** Forget a key that was refused, unless another one was given while the answer was on its way. */
export function forgetKey(refused) {
  if (currentKey() === refused) sessionStorage.removeItem(NAME);
}

/** Take keys out of the address (`#code=` or `?code=`, `#deciding=`), so that no bookmark, history or screen share shows it. */
export function takeKeyFromAddress() {
  const address = new URL(location.href);
  const hash = new URLSearchParams(address.hash.slice(1));
  const key = hash.get("code") ?? address.searchParams.get("code");
  const deciding = hash.get("deciding");
  if (key === null && deciding === null) return;
  if (key !== null) keep(key);
  if (deciding !== null) sessionStorage.setItem(DECIDING, deciding);
  address.searchParams.delete("code");
  address.hash = "";
  history.replaceState(history.state, "", address.pathname + address.search);
}

/** Without a key, ask the other tabs of this page for theirs: a connection opened in a new tab just works. */
export function borrowKey() {
  tabs.addEventListener("message", ({ data }) => {
    if (data === "ask" && currentKey()) tabs.postMessage({ key: currentKey() });
  });
  if (currentKey()) return Promise.resolve();
  return new Promise((done) => {
    const take = ({ data }) => {
      if (typeof data?.key !== "string" || currentKey()) return;
      keep(data.key);
      done();
    };
    tabs.addEventListener("message", take);
    tabs.postMessage("ask");
    setTimeout(done, LEND_MILLISECONDS);
  });
}

/** The form that asks for a key; `retry` is called when one was given. */
export function keyForm(why, retry) {
  const input = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const form = h(
    "form",
    { class: "panel key-form", novalidate: true },
    h("h1", {}, "Function key"),
    h("p", {}, "This page reads the app's HTTP API, which takes a function key. It is kept in this browser tab only."),
    why && h("p", { class: "notice tone-bad", role: "alert" }, why),
    h("label", { for: "key" }, "Key"),
    h("div", { class: "row" }, input, h("button", { type: "submit", class: "primary" }, "Open")),
    h("p", { class: "muted" }, "An administrator of the function app finds keys under App keys, or with ",
      h("code", {}, "az functionapp keys list"), "."),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) return input.focus();
    keep(input.value.trim());
    return retry();
  });
  setTimeout(() => input.focus());
  return form;
}

/** The form that asks for a deciding key; `retry` is called when one was given. */
export function decidingForm(why, retry) {
  const input = h("input", { id: "deciding", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const form = h(
    "form",
    { class: "deciding-form", novalidate: true },
    why && h("p", { class: "notice tone-bad", role: "alert" }, why),
    h("label", { for: "deciding" }, "Deciding key"),
    h("div", { class: "row" }, input, h("button", { type: "submit", class: "primary" }, "Go on")),
    h("p", { class: "muted" }, "The function key lets this page only read. Keys of those who may decide are secrets ",
      h("code", {}, "autopilot-key-<name>"), " of the key vault. This one is kept in this browser tab only."),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) return input.focus();
    sessionStorage.setItem(DECIDING, input.value.trim());
    return retry();
  });
  setTimeout(() => input.focus());
  return form;
}

function keep(key) {
  sessionStorage.setItem(NAME, key);
}
