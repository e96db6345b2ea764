import type { FastifyInstance } from "fastify";
import { instant } from "../../src/model/instant.ts";
import type { ProviderRole } from "../../src/model/role.ts";
import type { Store } from "../../src/store/store.ts";
import type { TokenScope } from "../../src/store/token-store.ts";
import { pageRequest } from "../api-host.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { plane, postedConnection, worldEnd } from "./matrix-world.ts";
import type { Holding, Who } from "./oracle.ts";

/** Somebody who asks, and who they are by what they hold. */
export interface Principal {
  readonly name: string;
  readonly who: Who;
  /** What an API client sends. */
  readonly headers: Readonly<Record<string, string>>;
  /** The token that a browser is signed in with. */
  readonly token?: string;
  /** Makes a browser's session of its own; undefined for whom none is made. */
  readonly browse: (app: FastifyInstance) => Promise<string | undefined>;
}

const project = (id: string, role: Holding["role"] = "reader"): Holding => ({
  on: "project",
  plane,
  id,
  role,
});
const domain = (id: string, role: Holding["role"]): Holding => ({ on: "domain", plane, id, role });
const projectScope = (projectId: string) => ({ kind: "project", controlPlane: plane, projectId }) as const;
const domainScope = (domainId: string, role: Holding["role"]) =>
  ({ kind: "domain", controlPlane: plane, domainId, role }) as const;

interface Holder {
  readonly scope: TokenScope;
  readonly who: Who;
}

const tenants: Readonly<Record<string, Holder>> = {
  "A reader": {
    scope: { kind: "customer", customerId: "c-a", role: "reader" },
    who: { kind: "tenant", holdings: [project("p-a1"), project("p-a2")] },
  },
  "A admin": {
    scope: { kind: "customer", customerId: "c-a", role: "admin" },
    who: { kind: "tenant", holdings: [project("p-a1", "admin"), project("p-a2", "admin")] },
  },
  "A reader of one project": {
    scope: projectScope("p-a1"),
    who: { kind: "tenant", holdings: [project("p-a1")] },
  },
  "B reader": {
    scope: domainScope("d-b", "reader"),
    who: { kind: "tenant", holdings: [domain("d-b", "reader")] },
  },
  "domain admin": {
    scope: domainScope("d-a", "admin"),
    who: { kind: "tenant", holdings: [domain("d-a", "admin")] },
  },
};

const nobody: Who = { kind: "nobody" };

/** All who ask, each with credentials of its own in the store. */
export async function admitPrincipals(store: Store, app: FastifyInstance): Promise<readonly Principal[]> {
  const make = async (name: string, scope: TokenScope, who: Who, expired = false): Promise<Principal> => {
    const token = tokenText(name);
    await store.tokens.create({
      name,
      hash: hashOf(token),
      scope,
      ...(expired ? { expiresAt: instant(worldEnd - 1) } : {}),
    });
    return byToken(name, who, token);
  };
  const made: Principal[] = [byToken("nobody", nobody, undefined)];
  made.push(await make("expired token", { kind: "provider" }, nobody, true));
  const revoked = await make("revoked token", { kind: "provider" }, nobody);
  const record = await store.tokens.find(hashOf(revoked.token!));
  await store.tokens.revoke(record!.id);
  made.push(revoked);
  const good = tokenText("A reader");
  made.push(byToken("tampered token", nobody, `${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`));
  made.push(
    await make(
      "key for posting",
      { kind: "ingest", connection: postedConnection },
      {
        kind: "poster",
        connection: postedConnection,
      },
    ),
  );
  for (const [name, { scope, who }] of Object.entries(tenants)) made.push(await make(name, scope, who));
  made.push(
    byIdentity("reader of A and B", "both", [project("p-a1"), project("p-b1")]),
    byIdentity("the same, narrowed to A", "narrowed", [project("p-a1")]),
  );
  for (const role of ["operator", "auditor", "admin"] as const satisfies readonly ProviderRole[]) {
    made.push(await make(`provider ${role}`, { kind: "provider", role }, { kind: "provider", role }));
  }
  made.push(
    await breakGlass(
      app,
      made.find(({ name }) => name === "provider operator")!,
    ),
  );
  return made;
}

/** Somebody with a token of Keystone's, as OpenStack's own clients send it. */
function byIdentity(name: string, credential: string, holdings: readonly Holding[]): Principal {
  return {
    name,
    who: { kind: "tenant", holdings },
    headers: { "x-auth-token": credential },
    browse: async () => undefined,
  };
}

/** An operator's session that sees what is withheld, for a reason. */
async function breakGlass(app: FastifyInstance, operator: Principal): Promise<Principal> {
  const who: Who = { kind: "provider", role: "operator", brokeGlass: true };
  const broken = async (): Promise<string> => {
    const cookie = await signIn(app, operator.token!);
    const why = { why: "a test of what is then seen" };
    const answer = await app.inject(pageRequest("POST", "/session/break-glass", cookie, why));
    if (answer.statusCode !== 200) throw new Error(`the glass did not break: ${answer.body}`);
    const renewed = answer.headers["set-cookie"];
    return renewed === undefined ? cookie! : String(renewed).split(";", 1)[0]!;
  };
  const { token } = operator;
  return {
    name: "provider operator with broken glass",
    who,
    headers: { cookie: await broken() },
    ...(token === undefined ? {} : { token }),
    browse: broken,
  };
}

function byToken(name: string, who: Who, token: string | undefined): Principal {
  return {
    name,
    who,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(token === undefined ? {} : { token }),
    browse: async (app) => (token === undefined ? undefined : signIn(app, token)),
  };
}

/** The cookie of a new session; undefined where the token opens none. */
export async function signIn(app: FastifyInstance, token: string): Promise<string | undefined> {
  const answer = await app.inject(pageRequest("POST", "/session", undefined, { token }));
  const cookie = answer.headers["set-cookie"];
  return cookie === undefined ? undefined : String(cookie).split(";", 1)[0];
}
