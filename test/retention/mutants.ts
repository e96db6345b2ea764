import type { Mutant } from "../simulation/mutants.ts";

const removal = "src/store/postgres/retention-removal.ts";
const erasure = "src/store/postgres/erasure.ts";
const rules = "src/model/retention.ts";

const gone = "what was deleted is gone";
const forGood = "what was deleted does not come back";
const held = "what is held stays";
const others = "others lose nothing";

function mutant(name: string, promise: string, file: string, find: string, replace = ""): Mutant {
  return { name, promise, kind: "retention", edits: [{ file, find, replace }] };
}

/** Retention and erasure without one of their parts each: every one has to show in one history. */
export const mutants: readonly Mutant[] = [
  mutant("no tombstones", forGood, removal, "await bury(client, tombstones, ids, reason);"),
  mutant(
    "no memory of whom was erased",
    forGood,
    erasure,
    "await tombstones.erase(client, found.entities, until);",
  ),
  mutant(
    "the door left open",
    forGood,
    "src/store/postgres/append.ts",
    "await admitPage(client, tools.tombstones, given);",
    "{ page: given, refused: new Set(), originals: new Map() };",
  ),
  mutant(
    "facts let in",
    forGood,
    "src/store/postgres/erasure-door.ts",
    "(fact) => !hidden.has(fact.sourceId) && !isFactErased(controlPlane, fact, until),",
    "() => true,",
  ),
  mutant(
    "answers let in",
    forGood,
    "src/store/postgres/reattribution.ts",
    "await admitAnswers(client, tombstones, given);",
    "given;",
  ),
  mutant(
    "what was set aside let in again from another position",
    forGood,
    "src/store/postgres/retention.ts",
    '...rows.map(({ connection, hash }) => ["set-aside-bytes", connection, hash] as const),',
  ),
  mutant("no hold on a tenant", held, rules, "&& !isHeld(keys);", ";"),
  mutant(
    "no hold on a resource",
    held,
    rules,
    "if (standing.some((hold) => holdsResource(hold, parts))) return nothing;",
  ),
  mutant("no hold against an erasure", held, erasure, "return !held;", "return true;"),
  mutant(
    "editions forgotten",
    gone,
    removal,
    "events.flatMap((event) => event.edition_keys.map((key, at) => placeOf(event, key, at))),",
    "[],",
  ),
  mutant(
    "storm members forgotten",
    gone,
    removal,
    '"DELETE FROM isochron.storm_member WHERE fold_id',
    '"SELECT FROM isochron.storm_member WHERE fold_id',
  ),
  mutant(
    "editions of storm members forgotten",
    gone,
    removal,
    '"DELETE FROM isochron.storm_member_edition WHERE (tenant_key, id)',
    '"SELECT FROM isochron.storm_member_edition WHERE (tenant_key, id)',
  ),
  mutant(
    "revisions forgotten",
    gone,
    removal,
    '["event_revision", "attribution_revision", "delivery", "pending_attribution"]',
    '["attribution_revision", "delivery", "pending_attribution"]',
  ),
  mutant("set-aside forgotten", gone, erasure, "await eraseSetAside(work);"),
  mutant("raw bytes kept", gone, erasure, 'search.isIn(bytes.toString("utf8")) || '),
  mutant("words in others' events kept", gone, erasure, "await eraseScanned(work, seen);"),
  mutant(
    "facts forgotten",
    gone,
    erasure,
    "tally.facts += await batch((client) => eraseTopology(client, subject, dry));",
  ),
  mutant(
    "small tables forgotten",
    gone,
    "src/store/postgres/erasure-texts.ts",
    'await client.query("SELECT isochron.scrub_words($1, $2)", [pattern, notScrubbed]);',
  ),
  mutant(
    "whom an erasure was of kept",
    gone,
    "src/store/postgres/erasure-requests.ts",
    "target = CASE WHEN $3::bigint = 0 THEN NULL ELSE target END",
    "target = target",
  ),
  mutant(
    "notices of what was retracted kept",
    gone,
    "src/store/postgres/erasure-requests.ts",
    '"DELETE FROM isochron.retraction WHERE reader_key',
    '"SELECT FROM isochron.retraction WHERE reader_key',
  ),
  mutant(
    "audit actor kept",
    gone,
    "src/pipeline/erasure-desk.ts",
    'if (target.kind === "user")',
    'if (target.kind === "nobody")',
  ),
  mutant(
    "every tenant's part taken",
    others,
    "src/store/postgres/erasure-writes.ts",
    "(own.has(key) ? [at] : [])",
    "[at]",
  ),
];
