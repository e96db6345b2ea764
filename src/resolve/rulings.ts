import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Attribution, Evidence } from "../model/event.ts";
import { formatInstant, type Instant } from "../model/instant.ts";
import type { Ruling } from "../model/ruling.ts";
import { indexRulings, namesThing } from "../model/ruling-index.ts";
import { tenantKey, type TenantRef } from "../model/tenant.ts";
import { rulingRules } from "../model/unproven.ts";
import type { ResolvedDraft, TopologyView } from "./resolver.ts";

/** The step after the resolver. Pure: the same answers, rulings and view give the same. */
export type RulingStep = (
  resolved: readonly ResolvedDraft[],
  rulings: readonly Ruling[],
  connection: string,
  view: TopologyView,
) => readonly ResolvedDraft[];

/**
 * Makes the step that gives what no rule could give an owner to whom an operator decided. What is proven stays as it is,
 * but where a ruling about that very thing names somebody else: both are then candidates. Rulings that disagree decide
 * nothing.
 */
export function createRulingStep({
  providerDomains,
}: {
  readonly providerDomains: ReadonlySet<string>;
}): RulingStep {
  return (resolved, rulings, connection, view) => {
    if (rulings.length === 0) return resolved;
    const index = indexRulings(rulings);
    const place = { connection, controlPlane: view.controlPlane };
    return resolved.map((answer) => {
      const { status } = answer.attribution;
      if (status === "shared" || status === "provider") return answer;
      const about = index.about(answer.draft, place);
      if (about.length === 0) return answer;
      const words = about.map((ruling) => hear(ruling, answer, view, providerDomains));
      return status === "owned" ? contradict(answer, words) : decide(answer, words, view);
    });
  };
}

/** A ruling as of one event. */
interface Word {
  readonly ruling: Ruling;
  /** Absent where the answer is the provider itself. */
  readonly tenant?: TenantRef;
  /** True where the tenant is one of the provider's own. */
  readonly own: boolean;
  /** What the tenant's domain still depends on. */
  readonly dependsOn: readonly string[];
}

function hear(
  ruling: Ruling,
  { draft }: ResolvedDraft,
  view: TopologyView,
  providerDomains: ReadonlySet<string>,
): Word {
  const { answer } = ruling;
  if (answer.kind === "provider") return { ruling, own: true, dependsOn: [] };
  const { tenant, dependsOn } = tenantOf(answer.owner, draft.occurredAt, view);
  return { ruling, tenant, own: providerDomains.has(tenant.domainId ?? ""), dependsOn };
}

function tenantOf(
  owner: EntityRef,
  at: Instant,
  view: TopologyView,
): { readonly tenant: TenantRef; readonly dependsOn: readonly string[] } {
  const { controlPlane } = view;
  if (owner.kind === "domain") return { tenant: { controlPlane, domainId: owner.id }, dependsOn: [] };
  const [held, ...others] = view.targets(owner, "part_of", at);
  if (held === undefined || others.length > 0) {
    return { tenant: { controlPlane, projectId: owner.id }, dependsOn: [entityKey(owner)] };
  }
  return { tenant: { controlPlane, projectId: owner.id, domainId: held.fact.to.id }, dependsOn: [] };
}

/** What nobody was proven to own: to whom the rulings say, if they say the same. */
function decide(answer: ResolvedDraft, words: readonly Word[], view: TopologyView): ResolvedDraft {
  const said = new Set(words.map(({ tenant }) => (tenant === undefined ? "" : tenantKey(tenant))));
  const before = answer.attribution.evidence;
  if (said.size > 1) {
    const evidence = [
      ...before,
      ...words.map((word) => tell(word, answer, "rejected")),
      conclude(rulingRules.disagree, "The rulings about it name different owners, so none of them decides."),
    ];
    return waitFor(answer, words, { status: "ambiguous", candidates: candidatesOf(words), evidence });
  }
  const evidence = [...before, ...words.map((word) => tell(word, answer, "accepted"))];
  const [{ tenant, own } = { tenant: undefined, own: true }] = words;
  if (tenant === undefined) return waitFor(answer, words, { status: "provider", evidence });
  if (own) return waitFor(answer, words, { status: "provider", own: tenant, evidence });
  return {
    ...waitFor(answer, words, { status: "owned", tenant, evidence }),
    ownEntities: provenOwn(answer, tenant, view),
  };
}

/** What is proven to be somebody else's than a ruling about that very thing says. */
function contradict(answer: ResolvedDraft, words: readonly Word[]): ResolvedDraft {
  const { attribution } = answer;
  if (attribution.status !== "owned") return answer;
  const proven = attribution.tenant;
  const against = words.filter(({ ruling, tenant }) => namesThing(ruling.match) && !isWithin(proven, tenant));
  if (against.length === 0) return answer;
  const evidence = [
    ...attribution.evidence,
    ...against.map((word) => tell(word, answer, "rejected")),
    conclude(rulingRules.contradicted, "Facts prove another owner than an operator ruled: neither is taken."),
  ];
  const candidates = candidatesOf([{ tenant: proven }, ...against]);
  return waitFor(answer, against, { status: "ambiguous", candidates, evidence });
}

/** True where the proven owner is the ruled one, or a project of the ruled domain. */
function isWithin(proven: TenantRef, ruled: TenantRef | undefined): boolean {
  if (ruled === undefined) return false;
  return ruled.projectId === undefined
    ? ruled.domainId === proven.domainId
    : ruled.projectId === proven.projectId;
}

function candidatesOf(words: readonly Pick<Word, "tenant">[]): readonly TenantRef[] {
  const tenants = words.flatMap(({ tenant }) => (tenant === undefined ? [] : [tenant]));
  const distinct = new Map(tenants.map((tenant) => [tenantKey(tenant), tenant]));
  return [...distinct].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, tenant]) => tenant);
}

function waitFor(answer: ResolvedDraft, words: readonly Word[], attribution: Attribution): ResolvedDraft {
  const keys = words.flatMap(({ ruling, dependsOn }) => [`ruling:${ruling.id}`, ...dependsOn]);
  return {
    ...answer,
    attribution,
    dependsOn: [...new Set([...answer.dependsOn, ...keys])].toSorted(),
    ownEntities: [],
  };
}

function tell({ ruling, tenant }: Word, { draft }: ResolvedDraft, verdict: Evidence["verdict"]): Evidence {
  const { id, version, by, why, decidedAt, answer, match } = ruling;
  const whose =
    answer.kind === "provider" ? "the provider's own" : `that of ${answer.owner.kind} ${answer.owner.id}`;
  return {
    rule: `${rulingRules.decided}/${id}/${version}`,
    verdict,
    // A person's word is no proof, however sure the person was.
    confidence: "assumed",
    says: `${by} ruled at ${formatInstant(decidedAt)} that this is ${whose}: ${why}`,
    from: draft.subject,
    ...(answer.kind === "provider" || tenant === undefined ? {} : { to: answer.owner }),
    ...(match.from === undefined ? {} : { validFrom: match.from }),
    ...(match.to === undefined ? {} : { validUntil: match.to }),
  };
}

function conclude(rule: string, says: string): Evidence {
  return { rule, verdict: "rejected", confidence: "exact", says };
}

/**
 * What of the event's things is observed to be the tenant's at that moment. A ruling proves nothing of what else the
 * record mentions, so only what was seen before and was not in other hands since is shown.
 */
function provenOwn({ draft }: ResolvedDraft, tenant: TenantRef, view: TopologyView): readonly string[] {
  const ownerId = tenant.projectId ?? tenant.domainId;
  return [draft.subject, ...draft.related.map(({ ref }) => ref)]
    .filter((ref) => {
      const [held, ...others] = view.targets(ref, "owned_by", draft.occurredAt);
      if (held === undefined || others.length > 0 || held.extended) return false;
      const lastSeen = held.fact.lastAt ?? held.fact.at;
      const certain = held.validUntil === undefined || draft.occurredAt <= lastSeen;
      const kind = tenant.projectId === undefined ? "domain" : "project";
      return certain && held.fact.to.id === ownerId && held.fact.to.kind === kind;
    })
    .map(entityKey);
}
