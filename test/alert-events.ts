import type { Correlatable } from "../src/correlate/correlatable.ts";
import type { Edge } from "../src/correlate/topology-paths.ts";
import { parseEntityKey } from "../src/model/entity.ts";
import { duration, instant, type Instant } from "../src/model/instant.ts";
import type { Relation } from "../src/model/topology.ts";

/** Tests count minutes from here. */
export const alertsBegin = Date.UTC(2026, 10, 19);

export function minuteAt(minutes: number): Instant {
  return instant(alertsBegin + minutes * 60_000);
}

type Fields = Partial<Correlatable> & { readonly labels?: Readonly<Record<string, string>> };

let made = 0;

/** An event of one connection, `alertmanager` in the cloud `cloud` where the fields say nothing else. */
export function toldAt(minutes: number, subject: string, fields: Fields = {}): Correlatable {
  const { labels, ...others } = fields;
  made += 1;
  return {
    id: `evt_${String(made).padStart(6, "0")}`,
    occurredAt: minuteAt(minutes),
    precision: duration(60_000),
    type: "alert.host_down.firing",
    kind: "symptom",
    category: "monitoring",
    severity: "warning",
    subject: parseEntityKey(subject),
    related: [],
    summary: "Host down",
    details: labels === undefined ? {} : { labels },
    connection: "alertmanager",
    controlPlane: "cloud",
    ...others,
  };
}

/** An alert of Alertmanager's as its source drafts it. */
export function fires(
  minutes: number,
  subject: string,
  name = "HostDown",
  fields: Fields = {},
): Correlatable {
  return toldAt(minutes, subject, {
    type: `alert.${name.toLowerCase()}.firing`,
    summary: name,
    labels: { alertname: name },
    ...fields,
  });
}

export function resolves(
  minutes: number,
  subject: string,
  name = "HostDown",
  fields: Fields = {},
): Correlatable {
  return fires(minutes, subject, name, {
    type: `alert.${name.toLowerCase()}.resolved`,
    kind: "recovery",
    severity: "info",
    ...fields,
  });
}

/** A problem of Zabbix's as its source drafts it. */
export function breaks(
  minutes: number,
  subject: string,
  name = "Host is unreachable",
  fields: Fields = {},
): Correlatable {
  return toldAt(minutes, subject, {
    type: "zabbix.problem.started",
    summary: name,
    connection: "zabbix",
    details: { trigger_id: name },
    precision: duration(0),
    ...fields,
  });
}

export function mends(
  minutes: number,
  subject: string,
  name = "Host is unreachable",
  fields: Fields = {},
): Correlatable {
  return breaks(minutes, subject, name, {
    type: "zabbix.problem.resolved",
    kind: "recovery",
    severity: "info",
    summary: `Resolved: ${name}`,
    ...fields,
  });
}

/** `server:a runs_on host:h`. */
export function edgeOf(statement: string): Edge {
  const [from = "", relation = "", to = ""] = statement.split(" ");
  return { from: parseEntityKey(from), relation: relation as Relation, to: parseEntityKey(to) };
}
