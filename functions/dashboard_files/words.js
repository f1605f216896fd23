// What phases, conditions and verdicts mean: the words, the marks, and the order of importance.

/** Phases, the most pressing first. */
export const PHASES = {
  Blocked: { label: "Blocked", mark: "stop", tone: "bad", about: "A person must act; the next step says how." },
  Degraded: { label: "Degraded", mark: "warn", tone: "warn", about: "It has worked before and does not now; the app is at it." },
  AwaitingApproval: { label: "Awaiting approval", mark: "wait", tone: "wait", about: "Elastic has not approved the connection yet." },
  Provisioning: { label: "Provisioning", mark: "work", tone: "wait", about: "The app is setting it up." },
  Removing: { label: "Removing", mark: "leave", tone: "quiet", about: "The endpoint is gone; what was made for it is being removed." },
  Ready: { label: "Ready", mark: "ok", tone: "good", about: "Set up and tested." },
  Ignored: { label: "Ignored", mark: "none", tone: "quiet", about: "Not an endpoint that the app handles; the reason says why." },
  Removed: { label: "Removed", mark: "gone", tone: "quiet", about: "The endpoint does not exist any more." },
};

export const PHASE_ORDER = Object.keys(PHASES);

/** A phase; one of a newer app than this page is shown by its name. */
export function phase(name) {
  return PHASES[name] ?? { label: name || "Unknown", mark: "ask", tone: "quiet", about: "" };
}

/** Rank of a phase: what presses most comes first. */
export function urgency(name) {
  const at = PHASE_ORDER.indexOf(name);
  return at < 0 ? PHASE_ORDER.length : at;
}

/** What stands behind a service of Elastic's. */
const FAMILIES = {
  hosted: { one: "Deployment", many: "Deployments", about: "Of Elastic Cloud Hosted." },
  serverless: { one: "Project", many: "Projects", about: "Of Elastic Cloud Serverless." },
};

/** Words for a family; one of a newer app than this page is shown by its name. */
export function family(name) {
  return FAMILIES[name] ?? { one: "Target", many: name || "Targets", about: "" };
}

const NEEDS = {
  person: { label: "Needs a person", mark: "stop", tone: "bad" },
  work: { label: "The app tries again", mark: "warn", tone: "warn" },
  time: { label: "Takes its time", mark: "wait", tone: "wait" },
  event: { label: "Asks for nothing", mark: "none", tone: "quiet" },
};
const HOLDS = { label: "Holds", mark: "ok", tone: "good" };
const PLANNED = { label: "Planned, not done", mark: "leave", tone: "wait" };
const NOT_KNOWN = { label: "Not known", mark: "ask", tone: "quiet" };

/** Reasons that say nothing about the connection: the app could not look, and tries again. */
const NOT_SEEN = new Set(["Throttled", "TemporaryFailure", "AnswerLost", "ChangedMeanwhile"]);

/** How a condition stands. */
export function standing(condition) {
  if (condition.status === "True") return HOLDS;
  if (condition.reason === "ObserveMode") return PLANNED;
  if (NOT_SEEN.has(condition.reason)) return { ...NEEDS.time, label: "Could not be looked at; the app tries again" };
  if (condition.status === "Unknown" && condition.needs !== "person") return NOT_KNOWN;
  return NEEDS[condition.needs] ?? NEEDS.work;
}

/** Verdicts of health checks. `pattern` fills the strip of the plot. */
export const VERDICTS = {
  healthy: { label: "Healthy", mark: "ok", tone: "good" },
  degraded: { label: "Degraded", mark: "warn", tone: "warn" },
  blocked: { label: "Blocked", mark: "stop", tone: "bad" },
  unreachable: { label: "Unreachable", mark: "fail", tone: "bad" },
  unknown: { label: "Unknown", mark: "ask", tone: "quiet" },
};

/** A verdict; one that this page does not know is shown by its name. */
export function verdict(name) {
  return VERDICTS[name] ?? { label: name || "Unknown", mark: "ask", tone: "quiet" };
}

/** "RecordHeldByAnotherEndpoint" -> "Record held by another endpoint". */
export function spaced(word) {
  const text = String(word ?? "").replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return text.charAt(0) + text.slice(1).toLowerCase();
}

/** The last segment of an ARM id. */
export function lastSegment(id) {
  return String(id ?? "").split("/").filter(Boolean).at(-1) ?? "";
}

/** The resource group in an ARM id. */
export function resourceGroup(id) {
  return /\/resourceGroups\/([^/]+)/i.exec(String(id ?? ""))?.[1] ?? "";
}

/** "1 connection", "2 connections". */
export const plural = (number) => `${number} connection${number === 1 ? "" : "s"}`;
