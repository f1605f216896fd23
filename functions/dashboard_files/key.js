// The function key: taken out of the address, kept for this tab, lent to other tabs of this page, asked for if missing.

import { h } from "./dom.js";

const NAME = "autopilot.key";
const LEND_MILLISECONDS = 250;
const tabs = new BroadcastChannel("autopilot.key");

/** The key of this tab, or "". */
export const currentKey = () => sessionStorage.getItem(NAME) ?? "";

/** Forget a key that was refused, unless another one was given while the answer was on its way. */
export function forgetKey(refused) {
  if (currentKey() === refused) sessionStorage.removeItem(NAME);
}

/** Take a key out of the address (`#code=` or `?code=`), so that no bookmark, history or screen share shows it. */
export function takeKeyFromAddress() {
  const address = new URL(location.href);
  const hash = new URLSearchParams(address.hash.slice(1));
  const key = hash.get("code") ?? address.searchParams.get("code");
  if (key === null) return;
  keep(key);
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

function keep(key) {
  sessionStorage.setItem(NAME, key);
}
