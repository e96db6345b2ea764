import type { ApiLimits, ApiParts } from "./api-parts.ts";
import type { AuditNotes } from "./audit-notes.ts";
import type { Refusals } from "./refusals.ts";
import type { SignIn } from "./sign-in.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** What every route is given. */
export interface ApiContext extends Omit<ApiParts, "limits"> {
  readonly limits: ApiLimits;
  readonly directory: TenantDirectory;
  readonly signIn: SignIn;
  readonly audit: AuditNotes;
  readonly refusals: Refusals;
  /** Aborted when the server begins to close. */
  readonly closing: AbortSignal;
}
