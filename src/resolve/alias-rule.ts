import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Relation } from "../model/topology.ts";
import {
  bearerOutside,
  callerOutside,
  containersOf,
  ownerOutside,
  type Container,
} from "./alias-container.ts";
import { isBearerProven, isCallerProven, type Alias } from "./alias-proof.ts";
import { ownersOf, removalOf } from "./owner-rule.ts";
import type { HeldFact } from "./resolver.ts";
import type { Owner, Search } from "./search.ts";
import { aside, inSilence, note } from "./search.ts";
import { startedFromKinds } from "./shared-kinds.ts";
import { oneTenantCallers } from "./used-by-rule.ts";

/** Whose an alias may have been; nobody where something that bore it may be anybody's. */
export interface AliasAnswer {
  readonly owners: readonly Owner[];
  /** The provider's own places (hosts, backends) that bore it, where nothing else did. */
  readonly places: readonly EntityRef[];
  /** Whether more than the alias speaks for them: a tenant cannot choose it, or the record proves the place. */
  readonly isProven: boolean;
}

/** How the bearers of each kind of alias are found, and the rule that says so. */
const ways: Readonly<Record<string, readonly [relation: Relation, rule: string]>> = {
  name: ["named", "name-in-place/1"],
  ip: ["has_address", "address-interval/1"],
  mac: ["has_address", "address-interval/1"],
  hostname: ["known_as", "known-as/1"],
  libvirt_domain: ["known_as", "known-as/1"],
  path: ["known_as", "known-as/1"],
};

/** How many bearers are written down one by one; whose a common name is not is soon told. */
const notedMax = 20;

const nothing: AliasAnswer = { owners: [], places: [], isProven: false };

/** The aliases of a record, each once, with the kind of thing that it says to mean. */
export function aliasesOf(draft: EventDraft): readonly Alias[] {
  const aliases = new Map<string, Alias>();
  if (draft.subject.kind in ways) aliases.set(entityKey(draft.subject), { ref: draft.subject });
  for (const { role, ref } of draft.related) {
    if (ref.kind in ways && role === "alias")
      aliases.set(entityKey(ref), { ref, ...aliases.get(entityKey(ref)) });
    if (ref.kind in ways && role.startsWith("alias:"))
      aliases.set(entityKey(ref), { ref, bearerKind: role.slice("alias:".length) });
  }
  return [...aliases.values()];
}

/**
 * The tenants whose the alias may have been: of everything that bore it at the moment, within what the record proves.
 * Only what is proven not to be meant is left out, and one bearer of unknown owner may be anybody's.
 */
export function ownersOfAlias(alias: Alias, draft: EventDraft, search: Search): AliasAnswer {
  const [relation, rule] = ways[alias.ref.kind]!;
  search.lookedAt.add(entityKey(alias.ref));
  const containers = containersOf(draft, search);
  const bearers = bearersOf(alias, relation, containers, rule, search);
  const { there } = bearers;
  if (there.length > 0 && there.every(({ fact }) => isPlace(fact.from))) {
    for (const held of there) note(search, held, rule, "derived");
    return { ...nothing, places: there.map(({ fact }) => fact.from) };
  }
  const owners = new Map<string, Owner>();
  let isOpen = false;
  let isProven = false;
  for (const [index, held] of there.entries()) {
    const quiet = index >= notedMax ? inSilence(search) : search;
    const answer = ownerOfBearer(held, alias, containers, rule, quiet);
    if (answer === "unknown") isOpen = true;
    else for (const owner of answer) owners.set(entityKey(owner), owner);
    if (answer !== "unknown" && answer.length > 0)
      isProven ||= isBearerProven(held, alias, containers, draft, search);
  }
  if (there.length > notedMax) noteMore(alias, rule, there.length - notedMax, search);
  if (relation === "named") {
    const isBorne = owners.size > 0;
    addCallers(alias, containers, bearers.notMeant, owners, search);
    if (!isBorne && owners.size > 0) isProven = isCallerProven(containers, draft);
  }
  return isOpen ? nothing : { owners: [...owners.values()], places: [], isProven };
}

interface Bearers {
  readonly there: readonly HeldFact[];
  /** Those that bore it at another moment, or were deleted by then, or are proven to be elsewhere. */
  readonly notMeant: readonly HeldFact[];
}

/** Everything that ever bore the alias, told apart by whether it is proven not to be meant. */
function bearersOf(
  { ref, bearerKind }: Alias,
  relation: Relation,
  containers: readonly Container[],
  rule: string,
  search: Search,
): Bearers {
  const { view, at } = search;
  const now = new Map(
    view
      .origins(ref, relation, at)
      .filter(({ extended }) => !extended)
      .map((held) => [entityKey(held.fact.from), held]),
  );
  const there: HeldFact[] = [];
  const notMeant: HeldFact[] = [];
  for (const ever of view.everOrigins(ref, relation)) {
    if (bearerKind !== undefined && ever.fact.from.kind !== bearerKind) continue;
    search.lookedAt.add(entityKey(ever.fact.from));
    const held = now.get(entityKey(ever.fact.from));
    const refused = held === undefined ? unborne(ever, at) : refusalOf(held, containers, search);
    if (refused === undefined) there.push(held!);
    else {
      if (notMeant.length < notedMax) note(search, held ?? ever, rule, "derived", refused);
      notMeant.push(held ?? ever);
    }
  }
  return { there, notMeant };
}

function unborne({ validFrom }: HeldFact, at: Instant): string {
  return validFrom > at ? "it is only known by it from a later moment" : "it no longer bore it then";
}

function refusalOf({ fact }: HeldFact, containers: readonly Container[], search: Search): string | undefined {
  if (removalOf(fact.from, search) !== undefined) return "it was deleted by then";
  return bearerOutside(fact.from, containers, search);
}

/** The owners of one bearer; none where it is proven to lie outside of what the record says. */
function ownerOfBearer(
  held: HeldFact,
  { bearerKind }: Alias,
  containers: readonly Container[],
  rule: string,
  search: Search,
): readonly Owner[] | "unknown" {
  const apart = aside(search);
  if (bearerKind === undefined && startedFromKinds.has(held.fact.from.kind)) {
    note(search, held, rule, "assumed", "anybody may speak of what everybody starts something from");
    return "unknown";
  }
  const owners = ownersOf(held.fact.from, apart);
  if (owners.length === 0) {
    note(search, held, rule, "assumed", "whose it was is not known, so that it may be anybody's");
    return "unknown";
  }
  const outside = owners.map((owner) => ownerOutside(owner, containers, search));
  if (outside.includes("unknown")) {
    note(search, held, rule, "assumed", "where its owner belongs is not known");
    return "unknown";
  }
  const refused = outside.find((reason) => reason !== undefined);
  if (refused !== undefined && !outside.includes(undefined)) {
    note(search, held, rule, "derived", refused);
    return [];
  }
  note(search, held, rule, "derived");
  search.evidence.push(...apart.evidence);
  return owners.filter((_, index) => outside[index] === undefined);
}

/**
 * Who works in one project only and spoke of a name may have meant a thing of its own. Requests are asked about
 * regardless of time, so where nothing bore the name then, they count only if nobody else's thing ever did.
 */
function addCallers(
  { ref }: Alias,
  containers: readonly Container[],
  notMeant: readonly HeldFact[],
  owners: Map<string, Owner>,
  search: Search,
): void {
  const callers = oneTenantCallers(ref, search);
  const isBorne = owners.size > 0;
  const mayBeOthers = callers.length > 0 && !isBorne;
  const everybodys = mayBeOthers ? notMeant.map(({ fact }) => ownersOf(fact.from, inSilence(search))) : [];
  for (const { owner, held } of callers) {
    const isSole = everybodys.every(
      (all) => all.length > 0 && all.every((one) => entityKey(one) === entityKey(owner)),
    );
    const refused =
      callerOutside(owner, containers, search) ??
      (isBorne || isSole ? undefined : "what is known to have borne the name may be somebody else's");
    note(search, held, "name-in-place/1", "derived", refused);
    if (refused === undefined) owners.set(entityKey(owner), owner);
  }
}

function noteMore({ ref }: Alias, rule: string, more: number, search: Search): void {
  search.evidence.push({
    rule,
    verdict: "accepted",
    confidence: "derived",
    says: `${more} more bore the ${ref.kind.replaceAll("_", " ")} ${ref.id} then.`,
    from: ref,
  });
}

/** Kinds of the provider's estate that monitors call by a name or an address. */
function isPlace({ kind }: EntityRef): boolean {
  return kind === "host" || kind === "backend" || kind === "hypervisor";
}
