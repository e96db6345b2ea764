import type { FastifyRequest } from "fastify";
import type { Grant } from "../../model/identity.ts";
import { formatInstant } from "../../model/instant.ts";
import type { ApiContext } from "./api-context.ts";
import type { Scene } from "./api-parts.ts";
import type { SessionJson } from "./contract.ts";
import type { Principal } from "./principal.ts";
import type { GrantJson } from "./session-contract.ts";
import { readingScope } from "./sign-in.ts";
import { toCustomerJson } from "./tenant-directory.ts";
import { sightOf } from "./tenants-route.ts";

/** Who is signed in, as `GET /session` and every change of a session answers. */
export async function describeSession(context: ApiContext, request: FastifyRequest): Promise<SessionJson> {
  const { principal, scope } = readingScope(request);
  const extent = await context.store.reader.extent(scope);
  const isProvider = scope.kind === "provider";
  const sight = await sightOf(context, scope);
  return {
    kind: scope.kind,
    label: principal.label,
    ...describeHolder(context, principal),
    as_tenant: principal.provider && !isProvider,
    tenants: isProvider ? [...sight.list()] : [],
    customers: isProvider ? sight.customersSeen().map(toCustomerJson) : [],
    extent:
      extent === undefined ? null : { first: formatInstant(extent.first), last: formatInstant(extent.last) },
    demo: context.openDemo,
    scenes: isProvider ? (context.demo?.scenes ?? []).map(toSceneJson) : [],
  };
}

function describeHolder({ clock }: ApiContext, { name, session, grants, permissions }: Principal) {
  const { glass, as } = session ?? {};
  const isBroken =
    glass !== undefined && clock() < glass.until && (as !== undefined || permissions.has("read-security"));
  return {
    name,
    through: session?.through ?? null,
    expires_at: session === undefined ? null : formatInstant(session.expiresAt),
    grants: grants.map(toGrantJson),
    permissions: [...permissions],
    glass: isBroken
      ? { since: formatInstant(glass.brokenAt), until: formatInstant(glass.until), why: glass.why }
      : null,
  };
}

export function toGrantJson(grant: Grant): GrantJson {
  const { kind: scope, role } = grant;
  return {
    scope,
    ...("controlPlane" in grant ? { control_plane: grant.controlPlane } : {}),
    ...("domainId" in grant ? { domain_id: grant.domainId } : {}),
    ...("projectId" in grant ? { project_id: grant.projectId } : {}),
    ...("customerId" in grant ? { customer_id: grant.customerId } : {}),
    role,
  };
}

function toSceneJson({ title, from, to, event }: Scene): SessionJson["scenes"][number] {
  return { title, from: formatInstant(from), to: formatInstant(to), event };
}
