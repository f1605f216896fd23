// Health checks over time: how long each stage took, and below it the verdicts.

import { explained } from "./conditions.js";
import { h, s } from "./dom.js";
import { mark } from "./marks.js";
import { clock, exact, short } from "./time.js";
import { spaced, verdict } from "./words.js";

const STAGES = ["resolve", "connect", "tls", "http"];
const STAGE_NAMES = { resolve: "DNS", connect: "TCP", tls: "TLS", http: "HTTP" };
const COUNTS = [60, 200, 500];
const SPACE = { left: 62, right: 8, top: 10, height: 140, strip: 16, axis: 22 };

/** The panel; `reload` is called when another number of checks is wanted. */
export function plot(reload) {
  let limit = COUNTS[0];
  let checks = [];
  let drawn = "";
  let chosen = null;
  const select = h("select", { "aria-label": "How many checks", onchange: (event) => { limit = Number(event.target.value); reload(); } },
    COUNTS.map((count) => h("option", { value: count }, `last ${count}`)));
  const drawing = h("div", { class: "drawing", tabindex: "0", role: "slider", "aria-label": "Health checks over time, newest last", onkeydown: keys });
  const readout = h("p", { class: "readout" });
  const legend = h("ul", { class: "legend" });
  const figures = h("p", { class: "figures" });
  const table = h("details", { class: "as-table" }, h("summary", {}, "As a table"));
  const body = h("div", {}, figures, drawing, readout, legend, table);
  const none = h("p", { class: "muted" }, "Not tested yet: a test makes sense once DNS, policy and approval are there.");
  const element = h("section", { class: "panel plot", "aria-label": "Health checks" },
    h("div", { class: "title" }, h("h2", {}, "Health checks"), select), body, none);

  function draw() {
    body.hidden = checks.length === 0;
    none.hidden = checks.length > 0;
    const width = Math.floor(drawing.clientWidth);
    const now = JSON.stringify([checks.at(0)?.at, checks.at(-1)?.at, checks.length, width]);
    if (checks.length === 0 || !width || now === drawn) return;
    drawn = now;
    const chart = picture(checks, width);
    drawing.replaceChildren(chart.element);
    drawing.onpointermove = (event) => choose(chart.nearest(event.clientX - drawing.getBoundingClientRect().left));
    drawing.onpointerleave = () => choose(null);
    choose.chart = chart;
    choose(chosen === null ? null : Math.min(chosen, checks.length - 1));
    figures.replaceChildren(...summary(checks));
    legend.replaceChildren(...legendItems(checks));
    table.replaceChildren(table.firstElementChild, asTable(checks));
  }

  function choose(index) {
    chosen = index;
    choose.chart.point(index);
    const entry = checks[index ?? checks.length - 1];
    readout.replaceChildren(...words(entry));
    drawing.setAttribute("aria-valuemin", "1");
    drawing.setAttribute("aria-valuemax", String(checks.length));
    drawing.setAttribute("aria-valuenow", String((index ?? checks.length - 1) + 1));
    drawing.setAttribute("aria-valuetext", readout.textContent);
  }

  function keys(event) {
    const last = checks.length - 1;
    const at = chosen ?? last;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    choose(Math.min(last, Math.max(0, next)));
  }

  new ResizeObserver(draw).observe(drawing);
  return {
    element,
    limit: () => limit,
    show({ items }) {
      checks = items.map(read).reverse();
      draw();
    },
  };
}

/** A check as it is drawn: of several names, the slowest; of a failed check, the one that failed. */
function read(entry) {
  const total = (host) => host.stages.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  const failed = entry.hosts.filter((host) => host.verdict !== "healthy");
  const told = (failed.length ? failed : [...entry.hosts]).sort((a, b) => total(b) - total(a))[0];
  const stages = new Map(told?.stages ?? []);
  return { ...entry, time: Date.parse(entry.at), told, stages, total: told ? total(told) : 0, whole: STAGES.every((stage) => stages.has(stage)) };
}

function picture(checks, width) {
  const inner = width - SPACE.left - SPACE.right;
  const bottom = SPACE.top + SPACE.height;
  const [from, to] = [checks[0].time, Math.max(checks.at(-1).time, checks[0].time + 1)];
  const x = (time) => SPACE.left + (checks.length === 1 ? inner / 2 : ((time - from) / (to - from)) * inner);
  const top = ceiling(Math.max(1, ...checks.filter(({ whole }) => whole).map(({ total }) => total)));
  const y = (milliseconds) => bottom - (Math.min(milliseconds, top) / top) * SPACE.height;
  const cursor = s("g", { class: "cursor" });
  const height = bottom + SPACE.strip + SPACE.axis + 10;
  const element = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    patterns(), grid(top, y, width), areas(checks, x, y), strip(checks, x, bottom + 8, width), axis(checks, x, height - 6, width), cursor);
  return {
    element,
    nearest: (at) => checks.reduce((best, check, index) => (Math.abs(x(check.time) - at) < Math.abs(x(checks[best].time) - at) ? index : best), 0),
    point(index) {
      const at = index === null ? null : x(checks[index].time);
      cursor.replaceChildren(...(at === null ? [] : [
        s("line", { x1: at, x2: at, y1: SPACE.top, y2: bottom + 8 + SPACE.strip }),
        ...(checks[index].whole ? [s("circle", { cx: at, cy: y(checks[index].total), r: 3.5 })] : []),
      ]));
    },
  };
}

/** Stacked by stage. A failed check, and a time without checks, leave a gap. */
function areas(checks, x, y) {
  const runs = [];
  const usual = median(checks.slice(1).map((check, index) => check.time - checks[index].time)) ?? 0;
  checks.forEach((check, index) => {
    const before = checks[index - 1];
    const goes_on = before?.whole && check.time - before.time <= Math.max(usual * 4, 60_000);
    if (!check.whole) return;
    if (goes_on) runs.at(-1).push(check);
    else runs.push([check]);
  });
  const level = (check, upTo) => STAGES.slice(0, upTo).reduce((sum, stage) => sum + check.stages.get(stage), 0);
  return s("g", { class: "areas" }, runs.flatMap((run) => STAGES.map((stage, at) => {
    const edge = (upTo) => (run.length === 1 ? [[-1.5, run[0]], [1.5, run[0]]] : run.map((check) => [0, check]))
      .map(([shift, check]) => `${(x(check.time) + shift).toFixed(1)} ${y(level(check, upTo)).toFixed(1)}`);
    return s("path", { class: `stage ${stage}`, d: `M${[...edge(at + 1), ...edge(at).reverse()].join("L")}z` });
  })));
}

function grid(top, y, width) {
  return s("g", { class: "grid" }, [0, top / 2, top].map((value) => [
    s("line", { x1: SPACE.left, x2: width - SPACE.right, y1: y(value), y2: y(value) }),
    s("text", { x: SPACE.left - 8, y: y(value) + 4 }, value === 0 ? "0" : `${number(value)} ms`),
  ]).flat());
}

/** The verdict of each check, until the next one. */
function strip(checks, x, y, width) {
  const ends = checks.map((check, index) => (index + 1 < checks.length ? x(checks[index + 1].time) : width - SPACE.right));
  return s("g", { class: "strip" }, s("text", { x: SPACE.left - 8, y: y + 12 }, "verdict"), checks.map((check, index) => {
    const start = checks.length === 1 ? SPACE.left : x(check.time);
    return s("rect", { x: start, y, width: Math.max(2, ends[index] - start), height: SPACE.strip, class: `verdict ${check.verdict}`, "data-verdict": check.verdict });
  }));
}

function axis(checks, x, y, width) {
  const [from, to] = [checks[0].time, checks.at(-1).time];
  const count = Math.max(2, Math.min(6, Math.floor(width / 150)));
  const marks = from === to ? [to] : Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));
  const anchor = (index) => (marks.length === 1 ? "middle" : index === 0 ? "start" : index === marks.length - 1 ? "end" : "middle");
  return s("g", { class: "axis" }, marks.map((time, index) => s("text", { x: x(time), y, "text-anchor": anchor(index) }, clock(time, Date.now(), to - from < 600_000))));
}

/** Hatchings, so that the strip can be read without its colours. */
function patterns() {
  const lines = (name, d, size = 6) => s("pattern", { id: `fill-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse" },
    s("rect", { width: size, height: size, class: `ground ${name}` }), s("path", { d, class: `hatch ${name}` }));
  return s("defs", {},
    lines("degraded", "M-1 7L7 -1M-4 4L4 -4M2 10L10 2"),
    lines("unreachable", "M0 0L6 6M6 0L0 6"),
    lines("blocked", "M0 1.5H6M0 4.5H6"),
    lines("unknown", "M1 3h.8M4 3h.8"));
}

function summary(checks) {
  const good = checks.filter(({ verdict: found }) => found === "healthy");
  const middle = median(good.map(({ total }) => total));
  const share = (100 * good.length) / checks.length;
  return [
    figure(`${share === 100 || share === 0 ? share : share.toFixed(1)} %`, "healthy"),
    middle !== undefined && figure(`${number(middle)} ms`, "median"),
    good.length > 0 && figure(`${number(Math.max(...good.map(({ total }) => total)))} ms`, "slowest"),
    figure(String(checks.length), `since ${clock(checks[0].time, Date.now())}`),
  ].filter(Boolean);
}

function figure(value, label) {
  return h("span", { class: "figure" }, h("b", {}, value), h("span", { class: "muted" }, ` ${label}`));
}

function legendItems(checks) {
  const counts = new Map();
  for (const { verdict: name } of checks) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [
    ...STAGES.map((stage) => h("li", {}, h("span", { class: `swatch stage ${stage}` }), STAGE_NAMES[stage])),
    ...[...counts].map(([name, count]) => {
      const { label, mark: shape, tone } = verdict(name);
      return h("li", { class: "tally" }, mark(shape, tone, 13), `${label} ${count}`);
    }),
  ];
}

function words(entry) {
  const { label, mark: shape, tone } = verdict(entry.verdict);
  const stages = [...entry.stages].map(([stage, milliseconds]) => `${STAGE_NAMES[stage] ?? stage} ${number(milliseconds)}`).join(" · ");
  return [
    mark(shape, tone, 14), h("time", { datetime: entry.at }, short(entry.at)), h("b", {}, label),
    h("span", {}, spaced(entry.reason)), h("span", {}, `${number(entry.total)} ms`), h("span", { class: "muted" }, stages),
    h("span", { class: "muted" }, entry.told?.addresses.join(", ") ?? ""),
  ];
}

function asTable(checks) {
  const head = ["Time", "Verdict", "Reason", "Address seen", ...STAGES.map((stage) => `${STAGE_NAMES[stage]} ms`), "Cause"];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Each health check" }, h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, [...checks].reverse().map((check) => {
      const { label, mark: shape, tone } = verdict(check.verdict);
      return h("tr", {},
        h("td", {}, h("time", { datetime: check.at, title: exact(check.at) }, short(check.at))),
        h("td", {}, h("span", { class: "phase" }, mark(shape, tone, 13), label)),
        h("td", {}, reasonOf(check), h("span", { class: "sub muted" }, check.message)),
        h("td", {}, check.told?.addresses.join(", ") ?? ""),
        STAGES.map((stage) => h("td", { class: "number" }, check.stages.has(stage) ? number(check.stages.get(stage)) : "–")),
        h("td", {}, check.cause));
    }))));
}

/** Of a good check a word: what explains nothing is no stop on the way of a keyboard. */
function reasonOf({ verdict, reason }) {
  const shown = h("code", {}, reason);
  return verdict === "healthy" ? shown : explained(reason, shown);
}

function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map((step) => step * unit).find((step) => step >= value);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const number = (value) => (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString();
