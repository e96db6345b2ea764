import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shippedTools } from "../../test/redact.ts";
import { entityKey, type EntityRef, type Related } from "../model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../model/event.ts";
import { duration, instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import { editionFields, fieldClasses, policies, type FieldClass, type Policies } from "./redact-classes.ts";
import { createRedactor } from "./redact.ts";

const tenant = { controlPlane: "cloud", domainId: "d", projectId: "p" };

/** Gives words that stand nowhere else; those that must stay inside begin with `hush`. */
class Words {
  #count = 0;
  readonly next = (isOpen: boolean): string => {
    const letters = [...String(this.#count++)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    return `${isOpen ? "tell" : "hush"}z${letters}z`;
  };
}

const kinds = [
  "server",
  "volume",
  "image",
  "user",
  "group",
  "request",
  "host",
  "backend",
  "flavor",
  "ip",
  "project",
];
const roles = [
  "volume",
  "server",
  "source",
  "port",
  "account",
  "host",
  "caller",
  "receiver",
  "alias",
  "within",
];

/** What an owner may be told, written down apart from the tables that decide it. */
const oracle = {
  kinds: ["server", "volume", "image", "user", "group", "request", "project"],
  roles: ["volume", "server", "source", "port", "account"],
  payload: [
    "size",
    "status",
    "state",
    "old_state",
    "new_task_state",
    "progress",
    "volume_size",
    "volume_type",
    "instance_type",
    "new_instance_type",
    "flavor.name",
    "new_flavor.name",
  ],
};
const withheldPayload = [
  "host",
  "node",
  "host_ip",
  "fixed_ips",
  "user_id",
  "initiator.name",
  "initiator.host.address",
  "role",
  "tenant_id",
  "id",
  "display_description",
  "message",
  "metadata.size",
  "flavor.extra_specs.size",
  "flavor.projects",
  "invented",
  "invented.state",
  "size.host",
];

const shapes = fc.record({
  type: fc.constantFrom(
    "compute.instance",
    "volume",
    "identity.role_assignment",
    "audit.http",
    "alert",
    "com.example",
  ),
  subject: fc.constantFrom(...kinds),
  isNamed: fc.boolean(),
  isStated: fc.boolean(),
  isOwnAct: fc.boolean(),
  hasRequest: fc.boolean(),
  related: fc.array(
    fc.record({ role: fc.constantFrom(...roles), kind: fc.constantFrom(...kinds), isOwn: fc.boolean() }),
    { maxLength: 5 },
  ),
  payload: fc.subarray([...oracle.payload, ...withheldPayload]),
  details: fc.subarray(["publisher", "source_type", "labels", "invented"]),
  changes: fc.subarray(["state", "host", "owner", "invented"]),
});
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  readonly draft: EventDraft;
  readonly own: readonly string[];
}

/** A draft in which every text is a word of its own. */
function write(shape: Shape): Told {
  const { next } = new Words();
  const isPublic = shape.type !== "alert" && shape.type !== "com.example";
  const ownRequest = shape.isOwnAct && shape.hasRequest;
  const isAccount = shape.subject === "user" || shape.subject === "group";
  const isOwn =
    oracle.kinds.includes(shape.subject) &&
    !(isAccount && shape.isStated) &&
    !(shape.subject === "request" && !ownRequest);
  const own: string[] = [];
  const related = shape.related.map((item): Related => {
    const isOpen = item.isOwn && oracle.roles.includes(item.role) && oracle.kinds.includes(item.kind);
    const ref: EntityRef = { kind: item.kind, id: next(isOpen) };
    if (item.isOwn) own.push(entityKey(ref));
    return { role: item.role, ref, name: next(isOpen) };
  });
  const payload: Record<string, Json> = {};
  // The longer paths first: what would be an object and a text at once stays an object.
  for (const path of shape.payload.toSorted((a, b) => b.split(".").length - a.split(".").length))
    put(payload, path.split("."), next(isPublic && oracle.payload.includes(path)));
  const draft: EventDraft = {
    key: next(false),
    sourceIds: [next(false)],
    occurredAt: instant(75_000),
    precision: duration(0),
    type: `${shape.type}.${next(isPublic)}.firing`,
    kind: "change",
    category: "lifecycle",
    severity: "info",
    visibility: "operational",
    subject: { kind: shape.subject, id: next(isOwn) },
    ...(shape.isNamed ? { subjectName: next(isOwn) } : {}),
    related,
    actor: {
      userId: next(false),
      userName: next(false),
      projectId: shape.isOwnAct ? "p" : next(false),
      domainId: next(false),
      address: next(false),
    },
    operation: {
      ...(shape.hasRequest ? { requestId: next(shape.isOwnAct) } : {}),
      globalRequestId: next(false),
      workflowId: next(false),
    },
    ...(shape.isStated ? { stated: { owner: { kind: "project", id: "p" }, path: next(false) } } : {}),
    twin: { group: next(false), side: next(false), within: duration(1) },
    summary: next(false),
    details: { ...Object.fromEntries(shape.details.map((name) => [name, next(false)])), payload },
    changes: shape.changes.map((field) => {
      const isOpen = field === "state" && isPublic;
      return { field, before: next(isOpen), after: next(isOpen) };
    }),
  };
  return { draft, own };
}

function put(object: Record<string, Json>, [name = "", ...rest]: readonly string[], word: string): void {
  if (rest.length === 0) object[name] ??= word;
  else put((object[name] ??= {}) as Record<string, Json>, rest, word);
}

const owned: Attribution = { status: "owned", tenant, evidence: [] };

/** The words that must have stayed inside and did not. */
function leaksOf(editions: readonly TenantEdition[]): readonly string[] {
  return JSON.stringify(editions).match(/hushz[a-j]+z/g) ?? [];
}

function neverLeaks(by: Policies) {
  const redact = createRedactor(shippedTools, by);
  return fc.property(shapes, (shape) => {
    const { draft, own } = write(shape);
    expect(leaksOf(redact(draft, owned, own))).toEqual([]);
  });
}

describe("an owner's edition", () => {
  test("holds no text of a draft but of classes that are shown", () => {
    fc.assert(neverLeaks(policies), { numRuns: 1_000 });
  });

  const kept = Object.keys(fieldClasses).filter((name) => policies[name as FieldClass] !== "shown");
  test.each(kept)("would leak if the class %s were shown", (name) => {
    const outcome = fc.check(neverLeaks({ ...policies, [name]: "shown" }), { numRuns: 1_000 });
    expect(outcome.failed).toBe(true);
  });

  test("shows each class that is shown", () => {
    const shape: Shape = {
      type: "compute.instance",
      subject: "server",
      isNamed: true,
      isStated: true,
      isOwnAct: true,
      hasRequest: true,
      related: [{ role: "volume", kind: "volume", isOwn: true }],
      payload: ["status", "flavor.name", "volume_type"],
      details: [],
      changes: ["state"],
    };
    const { draft, own } = write(shape);
    const [edition] = createRedactor(shippedTools)(draft, owned, own);
    expect(edition).toMatchObject({
      type: draft.type,
      subject: draft.subject,
      subjectName: draft.subjectName,
      related: draft.related,
      operation: { requestId: draft.operation!.requestId },
      details: { flavor: expect.stringMatching(/^tell/), status: expect.stringMatching(/^tell/) },
    });
    expect(edition!.summary).toContain(String(draft.changes![0]!.after));
  });

  test("has no field that is in no table", () => {
    const told = fc.sample(shapes, 200).flatMap((shape) => {
      const { draft, own } = write(shape);
      return createRedactor(shippedTools)({ ...draft, phase: "end" }, owned, own);
    });
    const fields = new Set(told.flatMap((edition) => Object.keys(edition)));
    expect([...fields].toSorted()).toEqual(Object.keys(editionFields).toSorted());
  });

  test("takes no sentence for a state, and no list for a name", () => {
    const { draft } = write({ ...fc.sample(shapes, 1)[0]!, type: "compute.instance", changes: [] });
    const payload = {
      state: "error: no answer from 192.0.2.7",
      status: "compute-02",
      instance_type: ["compute-02"],
    };
    const [edition] = createRedactor(shippedTools)({ ...draft, details: { payload } }, owned, []);
    expect(edition!.details).toEqual({});
    const changes = [{ field: "state", before: "active", after: "lost on compute-02" }];
    const [changed] = createRedactor(shippedTools)({ ...draft, changes }, owned, []);
    expect(changed!.summary).not.toContain("compute-02");
  });

  test("does not take a type for a public word that names a thing of the provider's", () => {
    const { draft } = write(fc.sample(shapes, 1)[0]!);
    for (const type of ["compute.compute-02.reboot", "compute.instance.rack7", "volume.host:ceph"])
      expect(createRedactor(shippedTools)({ ...draft, type }, owned, [])[0]!.type).toBe("lifecycle.change");
    const type = "identity.os-oauth1:consumer.created";
    expect(createRedactor(shippedTools)({ ...draft, type }, owned, [])[0]!.type).toBe(type);
  });
});

describe("a notice", () => {
  test("holds no text of a draft at all, only the tenant's own resources", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { draft } = write(shape);
        const resources = [{ kind: "server", id: "mine" }];
        const editions = createRedactor(shippedTools)(
          draft,
          { status: "shared", affected: [{ tenant, resources }], evidence: [] },
          [],
        );
        expect(JSON.stringify(editions)).not.toMatch(/hushz|tellz/);
        expect(JSON.stringify(editions)).toContain("mine");
      }),
    );
  });
});
