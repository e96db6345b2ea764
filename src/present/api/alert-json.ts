import type { Alert, JudgedGroup, JudgedMember } from "../../correlate/alerts.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { AlertSplit } from "../../store/alert-split-store.ts";
import type { AlertGroupJson, AlertJson, AlertMemberJson, AlertSplitJson } from "./alert-contract.ts";
import type { AlertEvent } from "./alert-parts.ts";
import { formatOptional, toEntityJson, toEventJson } from "./event-json.ts";
import type { TenantList } from "./tenant-directory.ts";

const eventsMax = 200;

/** How an answer is told: to whom, and with how much of each member. */
export interface AlertTelling {
  readonly audience: "provider" | "tenant";
  readonly tenants: TenantList;
  readonly splits: readonly AlertSplit[];
  readonly withEvents: boolean;
}

export function toGroupJson(group: JudgedGroup<AlertEvent>, telling: AlertTelling): AlertGroupJson {
  const { cause } = group;
  return {
    id: group.id,
    state: group.state,
    severity: group.severity,
    on: group.on === undefined ? null : toEntityJson(group.on),
    why: group.why,
    from: formatInstant(instant(Math.min(...group.alerts.map(({ at }) => at)))),
    changed_before:
      cause === undefined
        ? null
        : {
            event: toEventJson(cause.event.visible, telling.tenants),
            before_ms: cause.beforeMs,
            says: cause.says,
          },
    alerts: group.alerts.map((alert) => toAlertJson(alert, telling)),
  };
}

function toAlertJson(alert: Alert<AlertEvent>, telling: AlertTelling): AlertJson {
  const [first] = alert.members;
  const event = first!.episode.events[0]!;
  const isSubject = event.subject.kind === alert.thing.kind && event.subject.id === alert.thing.id;
  return {
    id: alert.id,
    state: alert.state,
    severity: alert.severity,
    thing: toEntityJson(alert.thing, isSubject ? event.subjectName : undefined),
    ...(telling.audience === "provider" ? { control_plane: alert.controlPlane } : {}),
    problem_class: alert.problemClass,
    from: formatOptional(alert.from) ?? null,
    to: formatOptional(alert.to) ?? null,
    members: alert.members.map((member) => toMemberJson(member, telling)),
  };
}

/** A tenant is told what its own editions say: not through which monitor, nor what was planned on what it stands on. */
function toMemberJson(member: JudgedMember<AlertEvent>, telling: AlertTelling): AlertMemberJson {
  const { episode, state, unknown, expected, flappingSince, why } = member;
  const { audience, splits, tenants, withEvents } = telling;
  const split = member.split ? splits.find(({ series }) => series === episode.series) : undefined;
  return {
    ...(audience === "provider" ? { series: episode.series, monitor: episode.monitor } : {}),
    problem: episode.problem,
    state,
    severity: episode.severity,
    from: formatOptional(episode.from) ?? null,
    to: formatOptional(episode.to) ?? null,
    ...(why === undefined ? {} : { why }),
    ...(split === undefined ? {} : { split: split.id }),
    ...(unknown === undefined ? {} : { unknown }),
    ...(audience === "provider" && expected !== undefined ? { expected: expected.says } : {}),
    ...(flappingSince === undefined ? {} : { flapping_since: formatInstant(flappingSince) }),
    count: episode.events.length,
    first_event: episode.events[0]!.id,
    ...(withEvents
      ? { events: episode.events.slice(-eventsMax).map(({ visible }) => toEventJson(visible, tenants)) }
      : {}),
  };
}

export function toSplitJson({ id, series, by, why, at }: AlertSplit): AlertSplitJson {
  return { id, series, by, why, at: formatInstant(at) };
}
