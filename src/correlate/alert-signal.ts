import { entityKey } from "../model/entity.ts";
import type { Json } from "../model/json.ts";
import { problemClass, splitWords } from "./alert-class.ts";
import type { Correlatable } from "./correlatable.ts";

/** What one event says of an alert. */
export interface AlertSignal {
  /** The monitor's alerts of one problem on one thing: `PLANE|MONITOR|PROBLEM|KIND:ID`. */
  readonly series: string;
  readonly monitor: string;
  /** The monitor's own name of the problem, as plain words. */
  readonly problem: string;
  /** What different monitors mean alike, such as `down` or `cpu`; the problem's own words where none is known. */
  readonly problemClass: string;
  /** Which one of several alerts of the series; absent where the record does not tell. */
  readonly instance?: string;
  readonly turn: "symptom" | "recovery" | "kept-back";
  /** True for the alert that always fires, and of which only the absence says something. */
  readonly heartbeat: boolean;
}

/** Last words of types that say how an alert turned, beside those of monitors. */
const downWords = new Set(["down", "degraded", "unavailable", "unreachable", "failed", "offline", "error"]);
const upWords = new Set(["up", "recovered", "available", "reachable", "online", "ok"]);
const turnWords =
  /\.(firing|resolved|suppressed|started|recovered|triggered|closed|opened|alarm|ok|down|up|degraded|unavailable|available|unreachable|reachable|failed|offline|online|error|symptom|recovery)$/;

const heartbeatNames = new Set(["watchdog", "dead mans switch", "deadmansswitch", "heartbeat"]);

/** What the event says of an alert; undefined for what is no alert: an error that nothing ever ends is none. */
export function readSignal(event: Correlatable): AlertSignal | undefined {
  const turn = turnOf(event);
  if (turn === undefined) return undefined;
  const name = problemNameOf(event);
  const problem = splitWords(name);
  const monitor = event.connection ?? event.type.split(".")[0] ?? "";
  const instance = instanceOf(event);
  const series = [event.controlPlane ?? "", monitor, problemIdOf(event) ?? problem, entityKey(event.subject)];
  return {
    series: series.join("|"),
    monitor,
    problem,
    problemClass: classOf(name, event),
    ...(instance === undefined ? {} : { instance }),
    turn,
    heartbeat: heartbeatNames.has(problem),
  };
}

/** The key under which a person's split of the event's alert is kept; undefined for what is no alert. */
export function seriesKey(event: Correlatable): string | undefined {
  return readSignal(event)?.series;
}

function turnOf({ kind, type, category, phase }: Correlatable): AlertSignal["turn"] | undefined {
  const word = type.slice(type.lastIndexOf(".") + 1);
  if (kind === "activity" && category === "monitoring" && word === "suppressed") return "kept-back";
  if (kind !== "symptom" && kind !== "recovery") return undefined;
  // What went wrong in one request is over when it has been told.
  if (phase === "error") return undefined;
  if (category !== "monitoring" && !(kind === "symptom" ? downWords : upWords).has(word)) return undefined;
  return kind;
}

/** The class of a problem whose name is not told, as in what a tenant is shown: never compared with another one. */
export const unnamedClass = "unnamed";

/** `alert.host_down.firing` names its problem in the type; Zabbix's types are all alike and name it in the summary. */
function problemNameOf({ type, summary, details, connection }: Correlatable): string {
  const label = asObject(details["labels"])?.["alertname"];
  if (typeof label === "string" && label !== "") return label;
  const rest = type.replace(turnWords, "").replace(/^(alert|zabbix|monitoring)(\.problem)?\.?/, "");
  if (rest !== "") return rest;
  return connection === undefined ? unnamedClass : bare(summary);
}

/** By the problem's name, else by the sentence without what the thing is called. */
function classOf(name: string, { summary, subject, subjectName, connection }: Correlatable): string {
  if (name === unnamedClass) return unnamedClass;
  const named = problemClass(name);
  if (named !== undefined || connection === undefined) return named ?? splitWords(name);
  const sentence = [subject.id, subjectName ?? ""]
    .filter((word) => word !== "")
    .reduce((text, word) => text.replaceAll(word, " "), bare(summary));
  return problemClass(sentence) ?? splitWords(name);
}

/** A trigger keeps its id when somebody words it anew. */
function problemIdOf({ details }: Correlatable): string | undefined {
  const trigger = details["trigger_id"];
  return typeof trigger === "string" ? `trigger ${trigger}` : undefined;
}

/** An alert's labels, or the problem that a recovery names: alerts of one series that begin and end by themselves. */
function instanceOf({ details, operation }: Correlatable): string | undefined {
  if (operation?.workflowId !== undefined) return operation.workflowId;
  const labels = asObject(details["labels"]);
  if (labels === undefined) return undefined;
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function bare(summary: string): string {
  return summary.replace(/^Resolved: /, "");
}

function asObject(value: Json | undefined): Readonly<Record<string, Json>> | undefined {
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value))
    return undefined;
  return value as Readonly<Record<string, Json>>;
}
