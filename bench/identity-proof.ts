import type { IdentityData, IdentityRecord } from "./identity-data.ts";
import type { IdentityResult } from "./identity-judge.ts";

/** What the records themselves tell of the names of those that were given to nobody. */
export interface IdentityProof {
  readonly abstained: number;
  /** None of their names stands in any record with an id, in a row, or in a request of an account of one tenant. */
  readonly unseen: number;
  /** Their names do, but with several tenants', with nobody's that is known, or as the name of an image. */
  readonly undetermined: number;
  /** Their names lead to one tenant: more could have been told. */
  readonly remaining: readonly IdentityRecord[];
}

const idPattern = /(?<![0-9a-f])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])/g;
const roleGiven = /PUT \S*\/v3\/projects\/([0-9a-f]{32})\/users\/([0-9a-f]{32})\/roles\//;

/** Words of a message that may be names: with a digit, a dash or an underscore. Read apart from the product's own readers. */
function namesIn(message: string): readonly string[] {
  const words = message.replaceAll(idPattern, " ").split(/[\s,;|"'()[\]{}<>/?=&]+|\.\.\./);
  return words.filter(
    (word) => /[\d_-]/.test(word) && /[a-z]{3}/i.test(word) && !word.startsWith("-") && !formats.has(word),
  );
}

/** Words with a digit in them that are nobody's name. */
const formats = new Set(["qcow2", "x86_64", "sha256"]);

/** Stands beside an image's owner: everybody may start something from an image, so that its name alone tells no tenant. */
const anybody = "anybody";

/** Whom the names and ids of the records lead to, by what the stream (and the inventory, where it is used) says of them. */
class Leads {
  readonly #byName = new Map<string, Set<string>>();
  readonly #byId = new Map<string, Set<string>>();

  constructor(data: IdentityData, withInventory: boolean) {
    const projects = new Map<string, Set<string>>();
    for (const { region, message } of data.records) {
      const [, project, user] = roleGiven.exec(message) ?? [];
      if (project !== undefined) add(projects, `${region} ${user}`, project);
    }
    const soleProject = ({ region, userId, projectId }: IdentityRecord): string | undefined => {
      const [only, ...others] = projects.get(`${region} ${userId}`) ?? [];
      if (only === undefined || others.length > 0) return undefined;
      return projectId === undefined || projectId === only ? only : undefined;
    };
    for (const record of data.records) {
      const project = record.requestId === undefined ? undefined : soleProject(record);
      if (project === undefined) continue;
      for (const id of record.message.match(idPattern) ?? [])
        add(this.#byId, `${record.region} ${id}`, project);
    }
    for (const row of withInventory ? (data.inventory ?? []) : []) {
      add(this.#byId, `${row.region} ${row.id}`, row.projectId);
      if (row.name === undefined) continue;
      add(this.#byName, `${row.region} ${row.name}`, row.projectId);
      if (row.kind === "image") add(this.#byName, `${row.region} ${row.name}`, anybody);
    }
    for (const record of data.records) this.#learnNames(record, soleProject(record));
  }

  #learnNames(record: IdentityRecord, project: string | undefined): void {
    const ids = record.message.match(idPattern) ?? [];
    const caller = record.requestId === undefined ? undefined : project;
    if (ids.length === 0 && caller === undefined) return;
    const led = ids.flatMap((id) => [...(this.#byId.get(`${record.region} ${id}`) ?? [])]);
    for (const name of namesIn(record.message)) {
      const key = `${record.region} ${name}`;
      if (!this.#byName.has(key)) this.#byName.set(key, new Set());
      for (const owner of caller === undefined ? led : [caller]) add(this.#byName, key, owner);
    }
  }

  /** Undefined where no such record has the name; else the projects that those lead to. */
  of({ region }: IdentityRecord, name: string): ReadonlySet<string> | undefined {
    return this.#byName.get(`${region} ${name}`);
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

/** Counts what of the abstained name-only records the data determines at all. */
export function countNames(
  data: IdentityData,
  result: IdentityResult,
  withInventory: boolean,
): IdentityProof {
  const abstained = data.records.filter(
    ({ seq, class: kind }) => kind.startsWith("name") && result.verdicts.get(seq) === "abstained",
  );
  const leads = new Leads(data, withInventory);
  let unseen = 0;
  let undetermined = 0;
  const remaining: IdentityRecord[] = [];
  for (const record of abstained) {
    const known = namesIn(record.message).flatMap((name) => leads.of(record, name) ?? []);
    const leading = known.filter((owners) => owners.size > 0);
    const [first, ...others] = leading;
    const common =
      first === undefined ? [] : [...first].filter((owner) => others.every((set) => set.has(owner)));
    if (known.length === 0) unseen += 1;
    else if (common.length !== 1) undetermined += 1;
    else remaining.push(record);
  }
  return { abstained: abstained.length, unseen, undetermined, remaining };
}
