import type { Mutant } from "../simulation/mutants.ts";

const aliasRule = "src/resolve/alias-rule.ts";
const callerRule = "src/resolve/caller-rule.ts";
const factLine = "src/resolve/fact-line.ts";
const ownerRule = "src/resolve/owner-rule.ts";
const usedByRule = "src/resolve/used-by-rule.ts";

function mutant(name: string, promise: string, file: string, find: string, replace: string): Mutant {
  return { name, promise, kind: "worlds", edits: [{ file, find, replace }] };
}

const truth = "wrong tenant 0";
const completeness = "determined by all facts";

/** Resolvers that lack one of the safeguards; each has to give some record of some world to the wrong tenant, or to miss one. */
export const mutants: readonly Mutant[] = [
  mutant(
    "names without uniqueness",
    truth,
    aliasRule,
    "return isOpen ? nothing : { owners: [...owners.values()], places: [], isProven };",
    "return { owners: [...owners.values()].slice(0, relation === 'named' ? 1 : 9), places: [], isProven };",
  ),
  mutant(
    "the first bearer of an address",
    truth,
    aliasRule,
    "return isOpen ? nothing : { owners: [...owners.values()], places: [], isProven };",
    "return { owners: [...owners.values()].slice(0, relation === 'named' ? 9 : 1), places: [], isProven };",
  ),
  mutant(
    "what a tenant can choose without its place",
    truth,
    "src/resolve/mention-rule.ts",
    "if (owners.length !== 1 || proven.some((one) => one.length === 1)) return { owners };",
    "if (owners.length > 0) return { owners };",
  ),
  mutant(
    "a bearer of unknown owner is nobody's",
    truth,
    aliasRule,
    'if (answer === "unknown") isOpen = true;',
    'if (answer === "unknown") continue;',
  ),
  mutant(
    "accounts that speak of a name whoever bore it",
    truth,
    aliasRule,
    "(isBorne || isSole",
    "(isBorne || isSole || true",
  ),
  mutant(
    "the actor's project",
    truth,
    "src/resolve/graph-resolver.ts",
    "(draft, search) => ownersByUse(usedThings(draft), search),",
    "(draft) => (draft.actor?.projectId === undefined ? [] : [{ kind: 'project', id: draft.actor.projectId }]),",
  ),
  mutant(
    "the latest owner, whatever the moment",
    truth,
    factLine,
    "const end = this.#after(at);",
    "const end = this.#sights.length;",
  ),
  mutant(
    "names whoever gave them",
    "no name but the tenant's own",
    "src/resolve/resource-names.ts",
    "return owner.id === own ? only.fact.to.id : undefined;",
    "return only.fact.to.id;",
  ),
  mutant(
    "facts of any control plane",
    truth,
    "src/resolve/topology-view.ts",
    "if (fact.controlPlane === controlPlane)",
    "",
  ),
  mutant(
    "deletions that nobody heeds",
    completeness,
    ownerRule,
    'return search.view.targets(entity, "removed_from", search.at)[0];',
    "return undefined;",
  ),
  mutant(
    "a transfer extended backwards",
    truth,
    ownerRule,
    "if (held.extended) return",
    "if (held.extended && at < 0) return",
  ),
  mutant(
    "the owner before for as long as the next is not seen",
    truth,
    ownerRule,
    "return held.validUntil !== undefined && at > (held.fact.lastAt ?? held.fact.at);",
    "return held.validUntil !== undefined && at > held.validUntil;",
  ),
  mutant(
    "the first of several tenants that use a thing",
    truth,
    usedByRule,
    "const refused = owners.length > 1 ?",
    "const refused = owners.length > 9 ?",
  ),
  mutant(
    "users of what everybody may use",
    truth,
    usedByRule,
    'const sharedByNature = new Set([\n  "image",',
    "const sharedByNature = new Set([",
  ),
  mutant(
    "a role on a domain or a second project beside the first",
    truth,
    "src/resolve/account-projects.ts",
    'if (places.size !== 1 || place?.kind !== "project") return { roles };',
    'if (place?.kind !== "project") return { roles };',
  ),
  mutant(
    "roles of groups unseen",
    truth,
    "src/resolve/account-projects.ts",
    "const roles = [...direct, ...throughGroups];",
    "const roles = direct;",
  ),
  mutant(
    "no veto of another tenant's thing",
    truth,
    callerRule,
    "distinctOwners([own, ...foreign]);",
    "[own];",
  ),
  mutant(
    "what the record proves of the place unheeded",
    completeness,
    "src/resolve/alias-container.ts",
    "return domainId === ref.id ? undefined",
    "return domainId !== 'none' ? undefined",
  ),
  mutant(
    "whoever stands anywhere is affected",
    completeness,
    "src/resolve/platform-rule.ts",
    "if (removalOf(resource, search) !== undefined) return [];",
    "",
  ),
];
