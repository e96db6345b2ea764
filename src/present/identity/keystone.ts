import type { Grant, Identity } from "../../model/identity.ts";
import { instant } from "../../model/instant.ts";
import type { KeystoneCredential, KeystoneSignIn, SignedIn } from "../../model/sign-in-service.ts";
import { FreshWord, hashOf } from "./fresh-word.ts";
import { refused, unavailable } from "./identity-failure.ts";
import {
  assignmentsAnswerSchema,
  domainAnswerSchema,
  groupsAnswerSchema,
  projectsAnswerSchema,
  tokenAnswerSchema,
  type RoleAssignment,
  type TokenAnswer,
} from "./keystone-answers.ts";
import { grantsOfAssignments, grantsOfToken, placeOf } from "./keystone-grants.ts";
import { KeystoneService } from "./keystone-service.ts";
import type { KeystoneSettings } from "./keystone-settings.ts";
import { plainName } from "./plain-name.ts";
import { SharedAnswers } from "./shared-answers.ts";

/**
 * What is the same for everybody: who has roles on the system, and whether a domain is enabled. Whoever asks keeps our
 * answer for up to a minute, so that nothing more than this is added to it.
 */
const sharedKeptMs = 3_000;
const entriesMax = 10_000;
const systemPath = "/role_assignments?scope.system=all&include_names";
/** Fernet and JWS tokens; anything else could not stand in a header, or is no token. */
const tokenPattern = /^[A-Za-z0-9_\-.~+/=]{1,4096}$/;

/** Keystone's Identity API v3 (https://docs.openstack.org/api-ref/identity/v3/). */
export class Keystone implements KeystoneSignIn {
  readonly kind = "keystone";
  readonly name: string;
  readonly title: string;
  readonly userDomain?: string;
  readonly #settings: KeystoneSettings;
  readonly #service: KeystoneService;
  readonly #nowMs: () => number;
  readonly #fresh: FreshWord;
  readonly #underWay: SharedAnswers<Identity>;
  readonly #onSystem: SharedAnswers<readonly RoleAssignment[]>;
  readonly #enabledDomains: SharedAnswers<boolean>;

  constructor(settings: KeystoneSettings, nowMs: () => number = Date.now) {
    this.#settings = settings;
    this.name = settings.name;
    this.title = settings.title;
    if (settings.userDomain !== undefined) this.userDomain = settings.userDomain;
    this.#nowMs = nowMs;
    this.#service = new KeystoneService(settings, nowMs);
    this.#fresh = new FreshWord(nowMs);
    this.#underWay = new SharedAnswers({ keptMs: 0, entriesMax, nowMs });
    this.#onSystem = new SharedAnswers({ keptMs: sharedKeptMs, entriesMax: 1, nowMs });
    this.#enabledDomains = new SharedAnswers({ keptMs: sharedKeptMs, entriesMax, nowMs });
  }

  /** A password is used once, for a token; the token is what is kept. */
  async signIn(credential: KeystoneCredential): Promise<SignedIn> {
    if (credential.kind === "token" && !tokenPattern.test(credential.token)) throw refused();
    const isReady = credential.kind === "token" && credential.scope === undefined;
    const token = isReady ? credential.token : await this.#service.issue(credential);
    const identity = await this.confirm(token);
    this.#fresh.keep(token, identity);
    return { identity, credential: token };
  }

  async confirm(credential: string): Promise<Identity> {
    if (!tokenPattern.test(credential)) throw refused();
    const identity =
      this.#fresh.take(credential) ??
      (await this.#underWay.get(hashOf(credential), () => this.#ask(credential)));
    if (identity.expiresAt <= this.#nowMs()) throw refused();
    return identity;
  }

  /** Asks for what needs the rights that every sign-in needs. */
  async probe(): Promise<void> {
    await this.#read(systemPath, assignmentsAnswerSchema);
  }

  async #ask(token: string): Promise<Identity> {
    const validated = await this.#service.get("/auth/tokens?nocatalog", tokenAnswerSchema, token);
    if (validated === undefined) throw refused();
    const { user, expires_at: expiresAt, application_credential: application } = validated.token;
    // Such a token is good for some requests to some services, and none of them is ours.
    if ((application?.access_rules ?? []).length > 0) throw refused();
    return {
      subject: `${this.name}/${user.id}`,
      name: plainName(`${user.name} of ${user.domain.name}`),
      grants: await this.#grantsOf(validated.token),
      expiresAt: instant(Date.parse(expiresAt)),
    };
  }

  async #grantsOf(token: TokenAnswer): Promise<readonly Grant[]> {
    const scoped = grantsOfToken(token, this.#settings);
    if (scoped !== undefined) return scoped;
    const user = encodeURIComponent(token.user.id);
    const [effective, enabled, onSystem] = await Promise.all([
      this.#read(`/role_assignments?user.id=${user}&effective&include_names`, assignmentsAnswerSchema),
      this.#read(`/users/${user}/projects?enabled=true`, projectsAnswerSchema),
      this.#rolesOnSystem(user),
    ]);
    const projects = new Set(enabled.projects.filter((one) => one.enabled).map(({ id }) => id));
    const live = await this.#withoutDisabled(effective.role_assignments, projects);
    return grantsOfAssignments([...live, ...onSystem], this.#settings);
  }

  /** Role assignments outlive the disabling of what they are on. */
  async #withoutDisabled(
    assignments: readonly RoleAssignment[],
    projects: ReadonlySet<string>,
  ): Promise<readonly RoleAssignment[]> {
    const domainOf = ({ scope }: RoleAssignment) => scope.project?.domain?.id ?? scope.domain?.id;
    const found = new Set(assignments.flatMap((one) => domainOf(one) ?? []));
    const states = await Promise.all([...found].map(async (id) => [id, await this.#isEnabled(id)] as const));
    const domains = new Set(states.flatMap(([id, enabled]) => (enabled ? [id] : [])));
    return assignments.filter((assignment) => {
      const place = placeOf(assignment);
      // Roles on the system are asked for by themselves.
      if (place === undefined || place.kind === "system") return false;
      if (place.kind === "project" && !projects.has(place.id)) return false;
      return domains.has(domainOf(assignment) ?? "");
    });
  }

  #isEnabled(domainId: string): Promise<boolean> {
    return this.#enabledDomains.get(domainId, async () => {
      const answer = await this.#service.get(`/domains/${encodeURIComponent(domainId)}`, domainAnswerSchema);
      return answer?.domain.enabled ?? false;
    });
  }

  /**
   * Keystone's effective assignments leave out the system, and with `scope.system` name everything but it (seen in Zed).
   * So all assignments on the system are read, a few, and those of the user and of its groups kept.
   */
  async #rolesOnSystem(user: string): Promise<readonly RoleAssignment[]> {
    const all = await this.#systemAssignments();
    const own = all.filter((one) => one.user !== undefined && encodeURIComponent(one.user.id) === user);
    const ofGroups = all.filter(({ group }) => group !== undefined);
    if (ofGroups.length === 0) return own;
    const { groups } = await this.#read(`/users/${user}/groups`, groupsAnswerSchema);
    const ids = new Set(groups.map(({ id }) => id));
    return [...own, ...ofGroups.filter(({ group }) => group !== undefined && ids.has(group.id))];
  }

  #systemAssignments(): Promise<readonly RoleAssignment[]> {
    return this.#onSystem.get("system", async () => {
      const { role_assignments: all } = await this.#read(systemPath, assignmentsAnswerSchema);
      return all.filter((one) => placeOf(one)?.kind === "system");
    });
  }

  /** What is missing here is no refusal of the user: the address or the service's rights are wrong. */
  async #read<Schema extends Parameters<KeystoneService["get"]>[1]>(path: string, schema: Schema) {
    const answer = await this.#service.get(path, schema);
    if (answer === undefined) throw unavailable(this.name, `${path.split("?", 1)[0]} is not there`);
    return answer;
  }
}
