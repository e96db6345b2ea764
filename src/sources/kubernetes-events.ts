import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EntityRef, Related } from "../model/entity.ts";
import type { EventDraft, EventKind, Observation, Severity } from "../model/event.ts";
import { regularizeEventType } from "../model/event-type.ts";
import { duration } from "../model/instant.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { asShape, asText } from "./json-fields.ts";
import type { KubernetesCursor } from "./kubernetes-events/event-pass.ts";
import {
  clockErrorMs,
  commitDelayMs,
  fetchEvents,
  kubernetesCursor,
  kubernetesSettings,
  listAnew,
} from "./kubernetes-events/event-pass.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";

/** The events of a Kubernetes cluster, of the API `events.k8s.io/v1` or of the core API's `v1`. */
export const kubernetesEvents: PullSource<KubernetesCursor> = {
  name: "kubernetes-events",
  title: "Kubernetes events",
  summary:
    "What the controllers, the scheduler and the kubelets of a cluster report: pods, nodes, volumes and deployments, listed once and then watched by passes.",
  delivery: "pull",
  contract: {
    identity: "uid of the event + how often it was seen",
    version: "`resourceVersion`; a repetition raises the event's count and is an event of its own",
    ordering: "unsorted",
    commitDelayMax: commitDelayMs,
    clockErrorMax: clockErrorMs,
    retention: duration(60 * 60_000),
    delivery: "pull",
    revisions: "never",
    completeness: "read",
    blindSpots:
      "Events are best effort: components drop them under load and fold repetitions, so that counts jump and a repetition may be written half an hour after it was seen; a cluster keeps them for one hour, and what is older when we come back is lost.",
  },
  config: kubernetesSettings as unknown as z.ZodType<JsonObject>,
  cursor: kubernetesCursor,
  fetch: fetchEvents,
  startAt: listAnew,
  normalise,
};

const optionalText = z.string().nullish();

const reference = z.object({
  kind: optionalText,
  namespace: optionalText,
  name: optionalText,
  uid: optionalText,
  fieldPath: optionalText,
});

/** Both APIs at once: the newer one writes the older one's fields with `deprecated` before them. */
const eventShape = z.object({
  metadata: z.object({
    uid: z.string().min(1),
    name: optionalText,
    namespace: optionalText,
    creationTimestamp: optionalText,
  }),
  type: optionalText,
  reason: optionalText,
  action: optionalText,
  note: optionalText,
  message: optionalText,
  regarding: reference.nullish(),
  involvedObject: reference.nullish(),
  related: reference.nullish(),
  eventTime: optionalText,
  series: z.object({ count: z.number().int(), lastObservedTime: optionalText }).nullish(),
  count: z.number().int().nullish(),
  deprecatedCount: z.number().int().nullish(),
  firstTimestamp: optionalText,
  lastTimestamp: optionalText,
  deprecatedFirstTimestamp: optionalText,
  deprecatedLastTimestamp: optionalText,
  reportingController: optionalText,
  reportingComponent: optionalText,
  reportingInstance: optionalText,
  source: z.object({ component: optionalText, host: optionalText }).nullish(),
  deprecatedSource: z.object({ component: optionalText, host: optionalText }).nullish(),
});
type ClusterEvent = z.output<typeof eventShape>;

/** Reasons of events of type Normal that altered what runs where. */
const changeReasons = new Set(
  (
    "Scheduled Started Killing Preempted ScalingReplicaSet SuccessfulCreate SuccessfulDelete SuccessfulRescale " +
    "SuccessfulAttachVolume VolumeResizeSuccessful ProvisioningSucceeded RegisteredNode RemovingNode DeletingNode " +
    "NodeSchedulable NodeNotSchedulable TriggeredScaleUp ScaleDown EnsuredLoadBalancer UpdatedLoadBalancer"
  ).split(" "),
);

/** Some components report trouble as Normal, and its end as nothing more. */
const troubleReasons = new Set([
  "NodeNotReady",
  "NodeHasDiskPressure",
  "NodeHasInsufficientMemory",
  "NodeHasInsufficientPID",
]);
const recoveryReasons = new Set(["NodeReady"]);

/** Reasons that take a node or a process down. */
const graveReasons = new Set([
  "NodeNotReady",
  "SystemOOM",
  "OOMKilling",
  "Rebooted",
  "KernelDeadlock",
  "Evicted",
]);

function normalise(record: RawRecord, decode: Decoders): Observation {
  const event = asShape(eventShape, decode.json(decode.text(record.bytes)), "event");
  const about = event.regarding ?? event.involvedObject;
  const subject = entityOf(about ?? undefined);
  if (subject === undefined) {
    throw new IsochronError(
      "record-invalid",
      "The event does not say what it is about.",
      "Look at its reporter.",
    );
  }
  const reason = asText(event.reason ?? null) ?? "Unnamed";
  const count = event.series?.count ?? event.deprecatedCount ?? event.count ?? 1;
  const when = timeOf(event, decode);
  const kind = kindOf(event.type, reason);
  const reporter = reporterOf(event);
  const said = asText(event.note ?? event.message ?? null);
  const name = asText(about?.name ?? null);
  const summary = `${reason} ${about?.kind ?? "object"} ${name ?? subject.id}${said === undefined ? "" : `: ${said}`}`;
  const draft: EventDraft = {
    key: `${event.metadata.uid}/${count}`,
    sourceIds: [event.metadata.uid],
    occurredAt: when.at,
    precision: when.precision,
    type: regularizeEventType(`kubernetes.${snakeCase(about?.kind ?? "object")}.${snakeCase(reason)}`),
    kind,
    category: "platform",
    severity: severityOf(kind, reason),
    // Whoever runs the cluster reads it; names of pods and images are no tenant's business.
    visibility: "provider",
    platform: true,
    subject,
    ...(name !== undefined && { subjectName: name }),
    related: relatedOf(event, reporter, record.meta["nodes_are_hosts"] === true),
    summary: summary.slice(0, 500),
    details: {
      reason,
      count,
      ...present({
        type: event.type,
        action: event.action,
        note: said,
        namespace: event.metadata.namespace,
        field_path: about?.fieldPath,
        reporter: reporter.component,
        node: reporter.node,
        first_seen: event.deprecatedFirstTimestamp ?? event.firstTimestamp,
      }),
    },
  };
  return { events: [draft], facts: [] };
}

function entityOf(about: z.output<typeof reference> | undefined): EntityRef | undefined {
  const kind = snakeCase(about?.kind ?? "").slice(0, 60);
  const name = asText(about?.name ?? null);
  if (!/^[a-z][a-z0-9_]*$/.test(kind)) return undefined;
  // A kubelet gives its node's name in place of the uid, and a namespace is spoken of by name everywhere.
  const id =
    kind === "node" || kind === "namespace" ? name : (asText(about?.uid ?? null) ?? qualified(about, name));
  return id === undefined ? undefined : { kind: `k8s_${kind}`, id };
}

function qualified(
  about: z.output<typeof reference> | undefined,
  name: string | undefined,
): string | undefined {
  const namespace = asText(about?.namespace ?? null);
  return name === undefined || namespace === undefined ? name : `${namespace}/${name}`;
}

function reporterOf(event: ClusterEvent): { readonly component?: string; readonly node?: string } {
  const source = event.deprecatedSource ?? event.source;
  const component = [source?.component, event.reportingController, event.reportingComponent]
    .map((text) => asText(text ?? null))
    .find((text) => text !== undefined);
  // A kubelet's instance is its node; a controller's is a pod, which says nothing about where the event is.
  const instance = component === "kubelet" ? event.reportingInstance : undefined;
  const node = asText(source?.host ?? null) ?? asText(instance ?? null);
  return { ...(component !== undefined && { component }), ...(node !== undefined && { node }) };
}

function relatedOf(
  event: ClusterEvent,
  { node }: { readonly node?: string },
  nodesAreHosts: boolean,
): readonly Related[] {
  const about = event.regarding ?? event.involvedObject;
  const namespace = asText(about?.namespace ?? event.metadata.namespace ?? null);
  const other = entityOf(event.related ?? undefined);
  const otherName = asText(event.related?.name ?? null);
  const nodeName = about?.kind === "Node" ? (asText(about.name ?? null) ?? node) : node;
  return [
    ...(namespace === undefined || about?.kind === "Node"
      ? []
      : [{ role: "namespace", ref: { kind: "k8s_namespace", id: namespace } }]),
    ...(other === undefined
      ? []
      : [{ role: "related", ref: other, ...(otherName !== undefined && { name: otherName }) }]),
    ...(node === undefined || about?.kind === "Node"
      ? []
      : [{ role: "node", ref: { kind: "k8s_node", id: node } }]),
    ...(nodeName === undefined || !nodesAreHosts
      ? []
      : [{ role: "host", ref: { kind: "host", id: nodeName } }]),
  ];
}

/** The latest moment that the event tells of, in whichever field its reporter keeps it. */
function timeOf(event: ClusterEvent, decode: Decoders): { at: Instant; precision: Duration } {
  const time = [
    event.series?.lastObservedTime,
    event.deprecatedLastTimestamp,
    event.lastTimestamp,
    event.eventTime,
    event.deprecatedFirstTimestamp,
    event.firstTimestamp,
    event.metadata.creationTimestamp,
  ]
    .map((text) => asText(text ?? null))
    .find((text) => text !== undefined);
  if (time === undefined) {
    throw new IsochronError("record-invalid", "The event has no time.", "Look at its reporter.");
  }
  return { at: decode.time(time), precision: duration(time.includes(".") ? 0 : 1_000) };
}

function kindOf(type: string | null | undefined, reason: string): EventKind {
  if (type === "Warning" || troubleReasons.has(reason)) return "symptom";
  if (recoveryReasons.has(reason)) return "recovery";
  return changeReasons.has(reason) ? "change" : "activity";
}

function severityOf(kind: EventKind, reason: string): Severity {
  if (kind !== "symptom") return "info";
  return graveReasons.has(reason) ? "error" : "warning";
}

/** `ReplicaSet` is `replica_set`, `FailedScheduling` is `failed_scheduling`. */
function snakeCase(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase();
}

function present(fields: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const kept = Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1]));
  return Object.fromEntries(kept);
}
