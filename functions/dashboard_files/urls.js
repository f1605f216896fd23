// The addresses to use from inside the virtual network, and what Fleet must be told.

import { copyButton, few, h } from "./dom.js";
import { mark } from "./marks.js";
import { family, verdict } from "./words.js";

const NAMES = {
  elasticsearch: "Elasticsearch", kibana: "Kibana", apm: "APM", fleet: "Fleet Server", integrations_server: "Integrations Server",
  enterprise_search: "Enterprise Search", ingest: "Managed intake", appsearch: "App Search", profiling: "Profiling", symbols: "Symbols",
};

/** What draws the private URLs of each deployment or project, each with how its last test went: of many the failed first. */
export function urls() {
  const some = few("deployments and projects", (one) => [one.name, one.id, ...one.urls.map(({ url }) => url)].join(" "));
  return (connection) => {
    const targets = connection.targets ?? [];
    const checks = new Map((connection.checks ?? []).map((check) => [check.host, check]));
    if (targets.length === 0) return null;
    const failed = (one) => one.urls.some(({ url }) => (checks.get(hostOf(url))?.status ?? "healthy") !== "healthy");
    return [
      h("h2", {}, "Private URLs"),
      some([...targets.filter(failed), ...targets.filter((one) => !failed(one))], (one) => [
        h("h3", {}, one.name || one.id),
        one.urls.length
          ? h("ul", { class: "urls" }, [...byUrl(one.urls)].map(([url, names]) => address(names.join(", "), url, checks.get(hostOf(url)))))
          : h("p", { class: "muted" }, `None is known: the ${family(connection.family).one.toLowerCase()} has no address in this region's private zone.`),
      ]),
    ];
  };
}

/** What draws the two settings of Fleet that Elastic's guide asks for: they are set in Kibana or by its API only. */
export function fleet() {
  const some = few("Fleet Servers", ({ name, server }) => `${name} ${server}`);
  return (connection) => {
    const found = (connection.targets ?? []).map(settings).filter(Boolean);
    if (found.length === 0) return null;
    return [
      h("h2", {}, "Fleet settings"),
      h("p", { class: "muted" }, "For Elastic Agents in this network. In Kibana: Fleet, Settings; the app cannot set them."),
      some(found, ({ name, server, output }) => [
        h("h3", {}, name),
        h("ul", { class: "urls" }, address("Fleet Server host", server), address("Elasticsearch output", output)),
      ]),
    ];
  };
}

function settings(target) {
  const server = host(target, "fleet");
  const output = host(target, "elasticsearch");
  if (!server || !output) return null;
  // The guide gives both with the port written out.
  return { name: target.name || target.id, server: `https://${server}:443`, output: `https://${output}:443` };
}

function host(target, service) {
  const found = target.urls.find((one) => one.service === service);
  return found ? hostOf(found.url) : null;
}

/** Several services may answer at one address. */
function byUrl(all) {
  const found = new Map();
  for (const { service, url } of all) found.set(url, [...(found.get(url) ?? []), NAMES[service] ?? service]);
  return found;
}

const hostOf = (url) => (URL.canParse(url) ? new URL(url).hostname : null);

function address(name, url, check) {
  return h("li", {}, h("span", { class: "service" }, name, check && tested(check)), h("code", {}, breakable(url)), copyButton(url, `${name}: ${url}`),
    check?.cause && check.status !== "healthy" && h("p", { class: "cause" }, check.cause, check.nextStep && h("span", { class: "next" }, h("b", {}, "Next "), check.nextStep)));
}

/** An address that breaks before its dots only, and not before the last. */
function breakable(url) {
  return url.split(/(?=\.[^.]*\.)/).flatMap((part, index) => [index > 0 && h("wbr"), h("span", { class: "whole" }, part)]);
}

function tested({ status, stages, standing }) {
  const { label, mark: shape, tone } = verdict(status);
  const total = Math.round(stages.reduce((sum, [, milliseconds]) => sum + milliseconds, 0));
  return h("span", { class: `tested tone-${tone}` }, mark(shape, tone, 13), status === "healthy" ? `${total} ms` : label,
    status === "healthy" && h("span", { class: "unseen" }, label),
    standing && h("span", { class: "muted" }, `(counts as ${standing.status} until several results are equal)`));
}
