// The addresses to use from inside the virtual network, and what Fleet must be told.

import { copyButton, h } from "./dom.js";

const NAMES = {
  elasticsearch: "Elasticsearch", kibana: "Kibana", apm: "APM", fleet: "Fleet Server", integrations_server: "Integrations Server",
  enterprise_search: "Enterprise Search", ingest: "Managed intake", appsearch: "App Search", profiling: "Profiling", symbols: "Symbols",
};

/** The private URLs of each deployment. */
export function urls(connection) {
  const deployments = connection.deployments ?? [];
  if (deployments.length === 0) return null;
  return [
    h("h2", {}, "Private URLs"),
    deployments.map((one) => [
      h("h3", {}, one.name || one.id),
      one.urls.length
        ? h("ul", { class: "urls" }, one.urls.map(({ service, url }) => address(NAMES[service] ?? service, url)))
        : h("p", { class: "muted" }, "None is known: the deployment has no address in this region's private zone."),
    ]),
  ];
}

/** The two settings of Fleet that Elastic's guide asks for: they are set in Kibana or by its API only. */
export function fleet(connection) {
  const found = (connection.deployments ?? []).map(settings).filter(Boolean);
  if (found.length === 0) return null;
  return [
    h("h2", {}, "Fleet settings"),
    h("p", { class: "muted" }, "For Elastic Agents in this network. In Kibana: Fleet, Settings; the app cannot set them."),
    found.map(({ name, server, output }) => [
      h("h3", {}, name),
      h("ul", { class: "urls" }, address("Fleet Server host", server), address("Elasticsearch output", output)),
    ]),
  ];
}

function settings(deployment) {
  const server = host(deployment, "fleet");
  const output = host(deployment, "elasticsearch");
  if (!server || !output) return null;
  // The guide gives both with the port written out.
  return { name: deployment.name || deployment.id, server: `https://${server}:443`, output: `https://${output}:443` };
}

function host(deployment, service) {
  const found = deployment.urls.find((one) => one.service === service);
  return found && URL.canParse(found.url) ? new URL(found.url).hostname : null;
}

function address(name, url) {
  return h("li", {}, h("span", { class: "muted" }, name), h("code", {}, url), copyButton(url, `${name}: ${url}`));
}
