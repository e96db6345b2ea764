import { beforeAll, describe, expect, test } from "vitest";
import type { EventDraft, TenantEdition } from "../src/model/event.ts";
import type { ResolvedDraft } from "../src/resolve/resolver.ts";
import { policies, type FieldClass, type Policies } from "../src/normalise/redact-classes.ts";
import { createRedactor } from "../src/normalise/redact.ts";
import { recordedTenants, resolveRecording } from "./recorded-demo.ts";
import { shippedTools } from "./redact.ts";

let recorded: readonly ResolvedDraft[];
beforeAll(() => {
  recorded = resolveRecording();
});

const hosts = ["controller-01", "network-01", "compute-01", "compute-02", "compute-03"];
const tenants = recordedTenants();

interface Told {
  readonly draft: EventDraft;
  readonly edition: TenantEdition;
  readonly text: string;
}

function tell(by: Policies = policies): readonly Told[] {
  const redact = createRedactor(shippedTools, by);
  return recorded.flatMap(({ draft, attribution, ownEntities }) =>
    redact(draft, attribution, ownEntities).map((edition) => ({
      draft,
      edition,
      text: JSON.stringify(edition),
    })),
  );
}

/** Ids of things, with the projects that ever owned them; a volume of the recording changes hands. */
function ownersOfThings(): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { draft, attribution } of recorded) {
    const projectId = attribution.status === "owned" ? attribution.tenant.projectId : undefined;
    if (projectId === undefined || draft.subject.kind === "project") continue;
    const known = owners.get(draft.subject.id) ?? new Set();
    owners.set(draft.subject.id, known.add(projectId));
  }
  return owners;
}

/** What an edition says that its tenant must not know, by what it is. */
function findSecrets({ edition, text }: Told, owners: ReturnType<typeof ownersOfThings>): readonly string[] {
  const { projectId = "", domainId = "" } = edition.tenant;
  const strangers = [
    ...Object.values(tenants.projects).filter((id) => id !== projectId),
    ...Object.values(tenants.domains).filter((id) => id !== domainId),
  ];
  const users = Object.values(tenants.users).filter((id) => id !== edition.subject.id);
  const ids = text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
  return [
    ...[...hosts, ...strangers, ...users].filter((word) => text.includes(word)),
    ...ids.filter((id) => owners.has(id) && !owners.get(id)!.has(projectId)),
    ...(text.match(/\b\d{1,3}(?:\.\d{1,3}){3}\b|[\w.]+@[\w.]+/g) ?? []),
  ];
}

describe("the editions of a recorded cloud", () => {
  test("hold no host, no address, no stranger's project, domain or thing, and no account but one that they are about", () => {
    const owners = ownersOfThings();
    const told = tell();
    expect(told.length).toBeGreaterThan(1_000);
    expect(told.flatMap((one) => findSecrets(one, owners))).toEqual([]);
  });

  test.each<FieldClass>(["place", "address", "actor", "free-text"])(
    "would hold some if the class %s were shown",
    (name) => {
      const owners = ownersOfThings();
      const secrets = tell({ ...policies, [name]: "shown" }).flatMap((one) => findSecrets(one, owners));
      expect(secrets.length).toBeGreaterThan(0);
    },
  );

  test("name the flavor of a server and the type of a volume", () => {
    const named = (type: string, field: string) =>
      tell().filter(({ edition }) => edition.type.startsWith(type) && field in edition.details).length;
    expect(named("compute.instance.", "flavor")).toBeGreaterThan(500);
    expect(named("volume.", "volume_type")).toBeGreaterThan(0);
  });
});
