import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEntityKey } from "../src/model/entity.ts";
import { eventKinds, severities, type EventDraft, type TenantEdition } from "../src/model/event.ts";
import { projectKey } from "../src/model/tenant.ts";
import type { KnownFact } from "../src/model/topology.ts";
import { createAliaser } from "../src/normalise/notice-alias.ts";
import { findTemplateProblems, placeholders, shippedTexts } from "../src/normalise/notice-template.ts";
import { createRedactor } from "../src/normalise/redact.ts";
import { createResolver } from "../src/resolve/graph-resolver.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import { draftOf, knownFact } from "./facts.ts";

const aliasOf = createAliaser(new Uint8Array(32).fill(3));
const resolve = createResolver({ providerDomains: new Set(["ops"]) });

/** A shared event with all that stands on its place. */
interface World {
  readonly host: string;
  readonly through: "host" | "service" | "backend";
  readonly kind: Exclude<EventDraft["kind"], "activity">;
  readonly severity: EventDraft["severity"];
  readonly step: string;
  readonly own: readonly string[];
  /** Whether tenants call their resources something, and sources tell what. */
  readonly isNamed: boolean;
  readonly others: readonly { readonly project: string; readonly id: string }[];
}

const id = fc.stringMatching(/^[a-z0-9]{1,12}$/);
/** No word of ours has a tilde, so that a name can be told from everything else. */
const host = fc.stringMatching(/^~[a-z0-9.{}$-]{1,16}$/);
const worlds = fc.record({
  host,
  through: fc.constantFrom("host", "service", "backend"),
  kind: fc.constantFrom(...eventKinds.filter((kind) => kind !== "activity")),
  severity: fc.constantFrom(...severities),
  step: fc.constantFrom("down", "update", "maintenance.start", "live_migration.end"),
  isNamed: fc.boolean(),
  own: fc.uniqueArray(id, { minLength: 1, maxLength: 6 }),
  others: fc.array(fc.record({ project: fc.constantFrom("b", "c", "d"), id }), { maxLength: 12 }),
}) satisfies fc.Arbitrary<World>;

/** What the tenants read of the event: the real resolver's answer, through the real redactor. */
function editionsOf(world: World, text?: string): ReadonlyMap<string, TenantEdition> {
  const { host: name, through, own, others } = world;
  const place = `${through === "backend" ? "backend" : "host"}:${name}`;
  const [kind, relation] = through === "backend" ? ["volume", "stored_on"] : ["server", "runs_on"];
  const subject = through === "service" ? `service:nova-compute@${name}` : place;
  const standing = [
    ...own.map((one) => ({ project: "a", id: `own-${one}` })),
    ...others.map((other) => ({ project: other.project, id: `other-${other.project}-${other.id}` })),
  ];
  const facts: KnownFact[] = [
    ...["a", "b", "c", "d"].map((one) => knownFact(`project:${one} part_of domain:of-${one}`, 0)),
    ...(through === "service" ? [knownFact(`${subject} serves ${place}`, 0)] : []),
    ...standing.flatMap((one) => [
      knownFact(`${kind}:${one.id} owned_by project:${one.project}`, 1),
      knownFact(`${kind}:${one.id} ${relation} ${place}`, 2),
      ...(world.isNamed ? [knownFact(`${kind}:${one.id} named name:${one.id}-called`, 3)] : []),
    ]),
  ];
  const draft = draftOf(subject, 10, {
    type: `compute.service.${world.step}`,
    kind: world.kind,
    severity: world.severity,
    subjectName: name,
    platform: true,
    related: [{ role: "host", ref: parseEntityKey(`host:${name}`), name }],
    actor: { userName: name },
    summary: `${name} bears ${standing.length} resources`,
    details: { host: name, reason: `${standing.length} on ${name}` },
    changes: [{ field: "state", before: null, after: `disabled ${name}` }],
  });
  const redact = createRedactor({ aliasOf, templateOf: (situation) => text ?? shippedTexts[situation] });
  const [resolved] = resolve([draft], "bus", buildTopologyView("cloud", facts));
  const editions = redact(draft, resolved!.attribution, resolved!.ownEntities, resolved!.names);
  return new Map(editions.map((edition) => [edition.tenant.projectId ?? "", edition]));
}

const place = ({ through, host: name }: World) => ({
  kind: through === "backend" ? "backend" : "host",
  id: name,
});
const aliasFor = (project: string, world: World) => aliasOf(projectKey("cloud", project), place(world));

describe("a notice of a shared cause", () => {
  test("is the same to the byte whoever else stands there and whatever the place is called, but for the alias", () => {
    fc.assert(
      fc.property(worlds, worlds, host, (world, { others }, renamed) => {
        const elsewhere: World = { ...world, others, host: renamed };
        const alone: World = { ...world, others: [] };
        const spell = (one: World) =>
          JSON.stringify(editionsOf(one).get("a")).replaceAll(aliasFor("a", one), "ALIAS");
        expect(spell(world)).toBe(spell(alone));
        expect(spell(elsewhere)).toBe(spell(alone));
        expect(spell(alone)).toContain("ALIAS");
      }),
    );
  });

  test("has an alias of the tenant's own for the place: the same each time, another's never, a service's its host's", () => {
    fc.assert(
      fc.property(worlds, worlds, (world, later) => {
        const again: World = {
          ...later,
          host: world.host,
          through: world.through === "host" ? "service" : world.through,
        };
        const there = editionsOf(world);
        const aliases = [...there].map(([project, edition]) => {
          const part = edition.related.find(({ role }) => role === "place")?.ref.id;
          expect(part).toBe(aliasFor(project, world));
          return part;
        });
        expect(new Set(aliases).size).toBe(there.size);
        expect(JSON.stringify(editionsOf(again).get("a"))).toContain(aliasFor("a", world));
        if (later.host !== world.host)
          expect(aliasFor("a", { ...world, host: later.host })).not.toBe(aliasFor("a", world));
      }),
    );
  });

  test("names no host, no other tenant and none of its resources, whatever text the provider writes", () => {
    const piece = fc.oneof(
      fc.constantFrom(...Object.keys(placeholders).map((name) => `{${name}}`)),
      fc.constantFrom(
        "{host}",
        "{__proto__}",
        "{constructor}",
        "{toString}",
        "{resources.0}",
        "{{part}}",
        "${part}",
        "$&",
      ),
      fc.string({ maxLength: 8 }).filter((text) => !text.includes("~")),
    );
    const texts = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(worlds, texts, (world, text) => {
        for (const [project, edition] of editionsOf(world, text)) {
          const words = JSON.stringify(edition);
          expect(words).not.toContain("~");
          expect(words.includes("-called")).toBe(world.isNamed);
          if (project === "a") expect(words).not.toMatch(/other-|of-[bcd]/);
          else expect(words).not.toMatch(new RegExp(`own-|of-a|other-[^${project}]`));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("is never rendered from a text that breaks the rules, even if one was stored", () => {
    fc.assert(
      fc.property(worlds, fc.string({ unit: "binary", maxLength: 40 }), (world, text) => {
        const summary = editionsOf(world, text).get("a")!.summary;
        if (findTemplateProblems(text).length > 0) expect(summary).toBe(editionsOf(world).get("a")!.summary);
        expect(summary).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
