import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { shareableKinds } from "../model/shared-kinds.ts";
import type { Alias } from "./alias-proof.ts";
import { aliasesOf, ownersOfAlias } from "./alias-rule.ts";
import { ownersOf } from "./owner-rule.ts";
import type { Owner, Search } from "./search.ts";
import { aside, distinctOwners, inSilence, isProviders } from "./search.ts";
import { toldKind } from "./shared-kinds.ts";
import { isUsedBySeveral } from "./used-by-rule.ts";

/** What a record without an id of its subject tells of it. */
export interface Meant {
  /** One decides, several are an ambiguity, none says nothing. */
  readonly owners: readonly Owner[];
  /** A host or backend of the provider's that all its aliases mean. */
  readonly place?: EntityRef;
}

/**
 * What is meant by the aliases of a record, and by the things that it mentions: each that says something names the
 * tenants whose it may be, and only who is named by all of them remains.
 */
export function findMeant(draft: EventDraft, search: Search): Meant {
  const aliases = aliasesOf(draft);
  const answers = aliases.map((alias) => ownersOfAlias(alias, draft, search));
  const mentioned = ownersMentioned(draft, search);
  const proven = [...answers.filter(({ isProven }) => isProven).map(({ owners }) => owners), ...mentioned];
  const saying = [...answers.map(({ owners }) => owners), ...mentioned].filter((owners) => owners.length > 0);
  const places = distinctRefs(answers.flatMap((answer) => answer.places));
  if (places.length > 0)
    return saying.length === 0 && places.length === 1 ? { owners: [], place: places[0]! } : { owners: [] };
  const all = distinctOwners(saying.flat());
  const common = all.filter((owner) =>
    saying.every((owners) => owners.some((one) => entityKey(one) === entityKey(owner))),
  );
  const owners = common.length > 0 ? common : all;
  if (owners.length !== 1 || proven.some((one) => one.length === 1)) return { owners };
  const [chosen] = aliases;
  search.evidence.push({
    rule: "alias-in-place/1",
    verdict: "rejected",
    confidence: "assumed",
    says: `A tenant can choose its ${words(aliases)}, and nothing in the record proves where it is meant: not used.`,
    ...(chosen === undefined ? {} : { from: chosen.ref }),
    to: owners[0]!,
  });
  return { owners: distinctOwners(proven.flat()) };
}

function words(aliases: readonly Alias[]): string {
  return [...new Set(aliases.map(({ ref }) => ref.kind.replaceAll("_", " ")))].join(" and ");
}

/**
 * Of each thing mentioned whose owner is known: the owner. The provider's own is there for everybody, and what may be
 * shared counts only where nothing else is mentioned, and no other tenant uses it.
 */
function ownersMentioned(draft: EventDraft, search: Search): readonly (readonly Owner[])[] {
  const mentioned = mentionedThings(draft).filter(({ kind }) => !saysNothing.has(kind));
  const own = mentioned.filter((ref) => !shareableKinds.has(toldKind(ref, search)));
  const known = (own.length > 0 ? own : mentioned).flatMap((ref) => {
    const owners = ownersOfMention(ref, search);
    return owners.length > 0 ? [owners] : [];
  });
  const tenants = known.filter((owners) => !owners.every((owner) => isProviders(owner, search)));
  return tenants.length > 0 ? tenants : known;
}

/** Kinds that are mentioned beside anybody's things. */
const saysNothing = new Set([
  "user",
  "group",
  "role",
  "domain",
  "flavor",
  "volume_type",
  "region",
  "request",
]);

function ownersOfMention(ref: EntityRef, search: Search): readonly Owner[] {
  const apart = aside(search);
  const owners = ownersOf(ref, apart);
  if (owners.length === 0) return [];
  const isShared = shareableKinds.has(toldKind(ref, search)) && isUsedBySeveral(ref, inSilence(search));
  search.evidence.push(...apart.evidence, {
    rule: "mentioned/1",
    verdict: isShared ? "rejected" : "accepted",
    confidence: "derived",
    says: isShared
      ? `The record speaks of ${ref.kind} ${ref.id}: not used, accounts of several tenants do.`
      : `The record speaks of ${ref.kind} ${ref.id}.`,
    from: ref,
    to: owners[0]!,
  });
  return isShared ? [] : owners;
}

/** The things that the record speaks of, each once. */
export function mentionedThings({ related }: EventDraft): readonly EntityRef[] {
  return distinctRefs(related.filter(({ role }) => role === "mentioned").map(({ ref }) => ref));
}

function distinctRefs(refs: readonly EntityRef[]): readonly EntityRef[] {
  return [...new Map(refs.map((ref) => [entityKey(ref), ref])).values()];
}
