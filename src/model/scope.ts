import type { TenantKey } from "./tenant.ts";

/**
 * What a principal may see. Every read by a person takes one, and PostgreSQL checks it again.
 *
 * A domain's key stands for what was the domain's when it happened, whichever projects are the domain's by now, and an
 * `exceptKey` takes a project out again. Events of the visibility `security` are open to a tenant for `sensitiveKeys`
 * alone, and to a provider unless they are withheld; those of the visibility `provider` are never a tenant's.
 */
export type Scope =
  | { readonly kind: "provider"; readonly security?: "withheld" }
  | {
      readonly kind: "tenant";
      readonly label: string;
      readonly keys: readonly TenantKey[];
      /** Those of `keys` whose administrator the principal is; none where absent. */
      readonly sensitiveKeys?: readonly TenantKey[];
    };
