/** One domain with all its projects, or one project, of one control plane. */
export type CustomerMember =
  | { readonly controlPlane: string; readonly domainId: string }
  | { readonly controlPlane: string; readonly projectId: string };

/** Whom the provider serves under one contract: a domain, a set of domains or a set of projects, on any control planes. */
export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly members: readonly CustomerMember[];
}
