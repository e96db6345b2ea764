import type { EntityRef, Related } from "../../src/model/entity.ts";
import { entityKey } from "../../src/model/entity.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { draftOf } from "../facts.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { ref, staffProject } from "./estate.ts";

/** A record of the history with whose it truly is. */
export interface TrueRecord {
  readonly plane: string;
  readonly draft: EventDraft;
  /** The project, also one of the provider's; undefined where it is about the provider's own estate. */
  readonly owner: string | undefined;
  /** With all facts known, it must not be left waiting. */
  readonly determined: boolean;
  /** Of a record of the platform: whose things truly stood on it. */
  readonly standing?: ReadonlyMap<string, ReadonlySet<string>>;
  /** And whose everything was at that moment. */
  readonly owners?: ReadonlyMap<string, string>;
  /** And what everything was called then, and by whom it ever was. */
  readonly names?: ReadonlyMap<string, { readonly nameThen: string; readonly calledBy: Thing["calledBy"] }>;
}

type Fields = Partial<EventDraft> & { readonly subject?: EntityRef };

/** Makes records of the state as it is; the account in them is anybody, and proves nothing. */
export class Recorder {
  readonly records: TrueRecord[] = [];
  readonly #cloud: Cloud;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  add(subject: EntityRef, truth: Omit<TrueRecord, "plane" | "draft">, fields: Fields = {}): void {
    const { plane, tenants } = this.#cloud.estate;
    const number = this.records.length;
    const anybody = tenants[(number * 5 + 1) % tenants.length]!;
    const draft = draftOf(entityKey(subject), this.#cloud.second, {
      key: `${plane} record ${number}`,
      sourceIds: [`${plane} record ${number}`],
      actor: { userId: `user-of-${anybody}`, projectId: anybody },
      ...fields,
    });
    this.records.push({ plane, draft, ...truth });
  }

  /** By the id alone, or with the owner stated in the record. */
  ofThing(thing: Thing, isStated: boolean, hasKind: boolean): void {
    const subject = hasKind ? thing.ref : ref("resource", thing.ref.id);
    const stated: Fields = isStated
      ? { stated: { owner: { kind: "project", id: thing.owner }, path: "payload.tenant_id" } }
      : {};
    // An image's id is its maker's choice: without the kind it proves nothing.
    const determined = hasKind || isStated || thing.ref.kind !== "image";
    this.add(subject, { owner: thing.owner, determined }, stated);
  }

  /** By a name or an address alone, within what `containers` prove. */
  byAlias(
    thing: Thing,
    aliases: readonly EntityRef[],
    options: { isKindTold: boolean; within?: EntityRef },
  ): void {
    const { isKindTold, within } = options;
    const role = isKindTold ? `alias:${thing.ref.kind}` : "alias";
    const related: Related[] = aliases.map((alias) => ({ role, ref: alias }));
    if (within !== undefined) related.push({ role: "within", ref: within });
    // Every other is a line of a log, which no tenant is shown.
    const isHidden = this.records.length % 2 === 0;
    const determined = aliases.some(
      (alias) => this.#isUnique(thing, alias, options) && isProven(thing, alias, { isHidden, within }),
    );
    const visibility = isHidden ? "provider" : "operational";
    this.add(
      aliases[0]!,
      { owner: thing.owner, determined },
      { related, type: "log.nova.warning", visibility },
    );
  }

  /** By names and addresses that a tenant's thing bears as well, of a machine of which OpenStack knows nothing. */
  ofStranger(aliases: readonly EntityRef[]): void {
    const related = aliases.map((alias): Related => ({ role: "alias", ref: alias }));
    this.add(aliases[0]!, { owner: undefined, determined: false }, { related, kind: "symptom" });
  }

  /** Whether nothing else than one tenant's bore it, nor did another tenant's account speak of it. */
  #isUnique(thing: Thing, alias: EntityRef, options: { isKindTold: boolean; within?: EntityRef }): boolean {
    const { isKindTold, within } = options;
    // Whoever else spoke of the name, whenever that was, leaves it open.
    const bearers = this.#cloud.living().filter((other) => bears(other, alias));
    // Anybody may speak of what servers are started from, and need not own it.
    if (!isKindTold && bearers.some(({ ref: { kind } }) => kind === "image")) return false;
    const owners = bearers
      .filter((other) => !isKindTold || other.ref.kind === thing.ref.kind)
      .filter((other) => within === undefined || lies(other, within, this.#cloud))
      .map(({ owner }) => owner);
    return owners.every((owner) => owner === thing.owner);
  }

  /** A component's record that has no subject of its own and speaks of things. */
  ofMentions(things: readonly Thing[]): void {
    const owners = new Set(things.map(({ owner }) => owner));
    owners.delete(staffProject);
    const related = things.map((thing): Related => ({ role: "mentioned", ref: thing.ref }));
    const [owner = staffProject] = owners;
    if (owners.size > 1 || things.length === 0) return;
    this.add(ref("component", "scheduler"), { owner, determined: false }, { related });
  }

  /** Of a host or a backend, or of the platform's own work on somebody's thing. */
  ofPlatform(place: EntityRef, mention: Thing | undefined): void {
    const related: readonly Related[] =
      mention === undefined ? [] : [{ role: "mentioned", ref: mention.ref }];
    if (place.kind === "component") {
      this.add(place, { owner: undefined, determined: true }, { platform: true, related });
      return;
    }
    const standing = new Map<string, Set<string>>();
    for (const thing of this.#cloud.living()) {
      if (thing.place === undefined || entityKey(thing.place) !== entityKey(place)) continue;
      if (thing.owner === staffProject) continue;
      standing.set(thing.owner, (standing.get(thing.owner) ?? new Set()).add(entityKey(thing.ref)));
    }
    const owners = new Map(this.#cloud.things.map((thing) => [entityKey(thing.ref), thing.owner]));
    const names = new Map(
      this.#cloud.things.map(({ ref: thing, name, calledBy }) => [
        entityKey(thing),
        { nameThen: name, calledBy },
      ]),
    );
    const truth = { owner: undefined, determined: true, standing, owners, names };
    this.add(place, truth, { kind: "symptom", related });
  }
}

/** Whether more is told than what a tenant can choose. */
function isProven(
  thing: Thing,
  alias: EntityRef,
  { isHidden, within }: { isHidden: boolean; within: EntityRef | undefined },
): boolean {
  if (alias.kind === "libvirt_domain" || (alias.kind === "name" && isHidden)) return true;
  if (alias.kind === "ip" && thing.ref.kind === "floating_ip") return true;
  return within !== undefined && (within.kind !== "host" || thing.place?.kind === "host");
}

function bears(thing: Thing, alias: EntityRef): boolean {
  if (alias.kind === "name") return thing.name === alias.id;
  return [...thing.addresses, ...thing.aliases].some((one) => entityKey(one) === entityKey(alias));
}

function lies(thing: Thing, within: EntityRef, cloud: Cloud): boolean {
  if (within.kind === "project") return thing.owner === within.id;
  if (within.kind === "domain") return cloud.estate.domains.get(thing.owner) === within.id;
  // What has no place cannot be told to be elsewhere.
  return thing.place?.kind !== "host" || thing.place.id === within.id;
}
