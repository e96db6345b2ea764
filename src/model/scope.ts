import type { TenantKey } from "./tenant.ts";

/**
 * What a principal may see. Every read by a person takes one, and PostgreSQL checks it again.
 * A tenant's scope lists each key in it, so that nothing has to be expanded below the wall.
 */
export type Scope =
  | { readonly kind: "provider" }
  | { readonly kind: "tenant"; readonly label: string; readonly keys: readonly TenantKey[] };
