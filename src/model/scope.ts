import type { TenantKey } from "./tenant.ts";

/**
 * What a principal may see. Every read by a person takes one, and PostgreSQL checks it again.
 * A domain's key stands for what was the domain's when it happened, whichever projects are the domain's by now, and an
 * `exceptKey` takes a project out again.
 */
export type Scope =
  | { readonly kind: "provider" }
  | { readonly kind: "tenant"; readonly label: string; readonly keys: readonly TenantKey[] };
