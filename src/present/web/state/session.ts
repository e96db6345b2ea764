import { computed, signal } from "@preact/signals";
import type { SessionJson } from "../../api/contract.ts";
import type { CustomerJson, TenantJson } from "../../api/tenancy-contract.ts";
import { readApi, RequestFailure, sendApi } from "./client.ts";
import { nameTenants } from "./grouping.ts";
import { hasRight } from "./rights.ts";

export type SessionState =
  | { readonly state: "loading" }
  | { readonly state: "out" }
  | { readonly state: "failed"; readonly failure: RequestFailure }
  | { readonly state: "in"; readonly session: SessionJson };

export const sessionState = signal<SessionState>({ state: "loading" });

export const session = computed(() =>
  sessionState.value.state === "in" ? sessionState.value.session : undefined,
);

export const tenantNames = computed(() => nameTenants(session.value?.tenants ?? []));

/** Whether the pages that only the provider has are shown. */
export const isProvider = computed(() => session.value?.kind === "provider");

/** Whether the audit trail is shown. */
export const readsAudit = computed(() => hasRight(session.value, "read-audit"));

/** Whether rulings and notices can be made and changed; who only looks over shoulders sees no control for it. */
export const decides = computed(() => hasRight(session.value, "decide"));

export async function loadSession(): Promise<void> {
  try {
    sessionState.value = { state: "in", session: await readApi<SessionJson>("session") };
  } catch (error) {
    settleFailure(error);
  }
}

function settleFailure(error: unknown): void {
  if (!(error instanceof RequestFailure)) throw error;
  sessionState.value = error.status === 401 ? { state: "out" } : { state: "failed", failure: error };
}

/** What people sign in with: the demo's click, an API token, or a user of a Keystone. */
export type SignInCredential =
  | { readonly demo: true }
  | { readonly token: string }
  | {
      readonly provider: string;
      readonly user: string;
      readonly user_domain: string;
      readonly password: string;
    };

/** Signs in; a refusal is returned for the page to show. */
export async function signIn(credential: SignInCredential): Promise<RequestFailure | undefined> {
  try {
    await sendApi("POST", "provider" in credential ? "session/keystone" : "session", credential);
  } catch (error) {
    if (error instanceof RequestFailure) return error;
    throw error;
  }
  await loadSession();
  return undefined;
}

export async function signOut(): Promise<void> {
  try {
    await sendApi("DELETE", "session");
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
  }
  sessionState.value = { state: "out" };
}

/** Looks through a tenant's or a customer's eyes, or through the provider's own again. */
export async function lookAs(tenant: TenantJson | CustomerJson | undefined): Promise<void> {
  try {
    if (tenant === undefined) await sendApi("DELETE", "session/as");
    else if (!("control_plane" in tenant)) {
      await sendApi("POST", "session/as", { customer_id: tenant.customer_id });
    } else {
      const scope =
        tenant.project_id === undefined ? { domain_id: tenant.domain_id } : { project_id: tenant.project_id };
      await sendApi("POST", "session/as", { control_plane: tenant.control_plane, ...scope });
    }
  } catch (error) {
    settleFailure(error);
    return;
  }
  await loadSession();
}
