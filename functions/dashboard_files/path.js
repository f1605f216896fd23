// The picture of the path, from the virtual network to the deployment or project, with the broken hop marked.

import { h, s } from "./dom.js";
import { shapes } from "./marks.js";
import { family, lastSegment, spaced, standing } from "./words.js";

const HOPS = [
  { key: "network", title: "Virtual network", types: ["Linked"], detail: (c) => lastSegment(c.vnetId) },
  { key: "dns", title: "Private DNS", types: ["ZoneReady", "RecordReady"], detail: (c) => (c.recordAddresses?.length ? `* → ${c.recordAddresses.join(", ")}` : "") },
  { key: "endpoint", title: "Private endpoint", types: ["Recognised", "Addressed"], detail: (c) => c.address },
  { key: "approval", title: "Approval", types: ["Approved"], detail: (c) => (c.region ? `Elastic ${c.region}` : "") },
  { key: "policy", title: "Policy", types: ["PolicyReady", "Claimed"], detail: (c) => c.policy?.id ?? "" },
  { key: "target", title: (c) => family(c.family).one, types: ["Associated", "Reachable"], detail: (c) => (c.targets ?? []).map((one) => one.name).join(", ") },
];
const NOT_LOOKED_AT = { label: "Not looked at", mark: "none", tone: "quiet" };
const NOT_AT_FAULT = { label: "Not at fault", mark: "none", tone: "quiet" };
const PRESSING = ["bad", "warn", "wait", "quiet", "good"];

/** Each hop with how it stands. `at` is "broken" on the one that the app's diagnosis names, or "waiting" where that takes time. */
export function hops(connection) {
  const conditions = connection.conditions.filter(({ type }) => type !== "Ready");
  const { hop: where, reason } = connection.verdict ?? {};
  // What decides stands at the hop that the diagnosis names: a failed test for example at the name, not at the target.
  const first = where ? conditions.find((one) => one.status !== "True" && one.reason === reason) : undefined;
  // So does a link that only passes the reason of zone or record on: a hub's zone is not the fault of the endpoint's network.
  const told = (one) => one === first || (where === "dns" && one.type === "Linked" && one.status !== "True" && one.reason === reason);
  const hopOf = (one) => (told(one) ? where : HOPS.find(({ types }) => types.includes(one.type))?.key);
  return HOPS.map(({ key, title, detail, types }) => {
    const mine = conditions.filter((one) => hopOf(one) === key).map((one) => ({ one, ...standing(one) }));
    const worst = [...mine].sort((a, b) => PRESSING.indexOf(a.tone) - PRESSING.indexOf(b.tone))[0];
    const shown = worst?.tone === "good" ? mine.at(-1) : worst;
    const elsewhere = conditions.some((one) => types.includes(one.type) && told(one));
    const { one, label, mark, tone } = shown ?? (elsewhere ? NOT_AT_FAULT : NOT_LOOKED_AT);
    const at = key !== where || tone === "good" ? "" : tone === "bad" || tone === "warn" ? "broken" : "waiting";
    return { key, title: typeof title === "string" ? title : title(connection), detail: detail(connection) ?? "", label, mark, tone, at, words: spaced(one?.reason ?? label), message: one?.message ?? "" };
  });
}

/** The panel with the picture; it is drawn for the width that there is. */
export function pathPicture() {
  const drawing = h("div", { class: "drawing" });
  const element = h("section", { class: "panel path", "aria-label": "Path" }, h("h2", {}, "Path"), drawing);
  let shown = [];
  let drawn = "";

  function draw() {
    const width = Math.floor(drawing.clientWidth);
    const now = JSON.stringify([shown, width]);
    if (!shown.length || !width || now === drawn) return;
    drawn = now;
    drawing.replaceChildren(width < 760 ? upright(shown, width) : across(shown, width));
  }

  new ResizeObserver(draw).observe(drawing);
  return {
    element,
    show(data) {
      shown = data;
      element.hidden = data.every(({ label }) => label === NOT_LOOKED_AT.label);
      draw();
    },
  };
}

const GAP = 34;
const HEIGHT = 96;
const FLAG = 26;

function across(all, width) {
  const size = (width - GAP * (all.length - 1) - 4) / all.length;
  const top = all.some(({ at }) => at) ? FLAG : 2;
  const parts = all.map((hop, index) => node(hop, { x: 2 + index * (size + GAP), y: top, width: size, height: HEIGHT }));
  const lines = all.slice(1).map((hop, index) => {
    const end = 2 + (index + 1) * (size + GAP);
    return link(all, index, { x1: end - GAP + 3, y1: top + HEIGHT / 2, x2: end - 5, y2: top + HEIGHT / 2 });
  });
  return picture(all, width, top + HEIGHT + 2, [...lines, ...parts]);
}

function upright(all, width) {
  const [height, gap] = [60, 26];
  const parts = all.map((hop, index) => node(hop, { x: 2, y: 2 + index * (height + gap), width: width - 4, height }));
  const lines = all.slice(1).map((hop, index) => {
    const end = 2 + (index + 1) * (height + gap);
    return link(all, index, { x1: 28, y1: end - gap + 3, x2: 28, y2: end - 5 });
  });
  return picture(all, width, all.length * (height + gap) - gap + 4, [...lines, ...parts]);
}

function picture(all, width, height, children) {
  const spoken = all.map((hop) => `${hop.title}: ${hop.words}${hop.at === "broken" ? ", broken here" : hop.at === "waiting" ? ", waiting here" : ""}`).join(". ");
  const arrow = (id) => s("marker", { id, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, s("path", { d: "M0 0L8 4L0 8z", class: "arrow" }));
  return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken }, s("defs", {}, arrow("arrow")), ...children);
}

/** The line from hop `index` to the next: whole as far as traffic comes. */
function link(all, index, ends) {
  const stop = all.findIndex(({ at }) => at !== "");
  const cut = stop >= 0 && index + 1 >= stop;
  return s("line", { ...ends, class: cut ? "link cut-off" : "link", "marker-end": "url(#arrow)" });
}

function node(hop, { x, y, width, height }) {
  const low = height < HEIGHT;
  const group = s("g", { class: `hop tone-${hop.tone} ${hop.at}`, "data-hop": hop.key, "data-at": hop.at || null, transform: `translate(${x} ${y})` },
    s("title", {}, `${hop.title}: ${hop.message || hop.words}`),
    s("rect", { width, height, rx: 9, class: "box" }),
    s("g", { transform: "translate(12 12)", class: `mark tone-${hop.tone}` }, shapes(hop.mark)),
    s("text", { x: 36, y: 25, class: "name" }, clipped(hop.title, (width - 40) / 6.4)),
    low
      ? s("text", { x: 12, y: 46, class: "words" }, clipped(hop.words, (width * 0.55) / 6.6))
      : wrapped(hop.words, (width - 20) / 6.6).map((line, index) => s("text", { x: 12, y: 46 + 16 * index, class: "words" }, line)),
    s("text", { x: low ? width - 12 : 12, y: low ? 46 : height - 14, class: "detail", "text-anchor": low ? "end" : "start" },
      clipped(hop.detail, (low ? width * 0.42 : width - 24) / 6.9)));
  if (hop.at) {
    const label = hop.at === "broken" ? "broken here" : "waiting here";
    const place = low ? `translate(${width - 102} 8)` : `translate(0 ${-FLAG})`;
    group.append(s("g", { class: "flag", transform: place }, s("rect", { width: 92, height: 20, rx: 10 }), s("text", { x: 46, y: 14 }, label)));
  }
  return group;
}

/** Words in at most two lines. */
function wrapped(text, characters) {
  const words = text.split(" ");
  let first = words.shift();
  while (words.length && first.length + 1 + words[0].length <= characters) first += ` ${words.shift()}`;
  return [clipped(first, characters), ...(words.length ? [clipped(words.join(" "), characters)] : [])];
}

function clipped(text, characters) {
  const most = Math.max(4, Math.floor(characters));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
