import type { SessionJson } from "../../api/contract.ts";
import { shortId } from "./grouping.ts";
import type { TenantChoice } from "./tenant-tree.ts";

/** The ids that requests name a tenant or a customer by. */
export interface TenantTarget {
  readonly control_plane?: string;
  readonly project_id?: string;
  readonly domain_id?: string;
  readonly customer_id?: string;
}

export function toTarget(choice: TenantChoice): TenantTarget {
  if (choice.kind === "customer") return { customer_id: choice.id };
  const { controlPlane: plane, id } = choice;
  return choice.kind === "project"
    ? { control_plane: plane, project_id: id }
    : { control_plane: plane, domain_id: id };
}

/** `project contoso / prod`, with the id where no name is known. */
export function targetWords(
  target: TenantTarget,
  known: Pick<SessionJson, "tenants" | "customers"> | undefined,
): string {
  const { control_plane: plane, project_id: project, domain_id: domain, customer_id: customer } = target;
  if (customer !== undefined) {
    const named = known?.customers.find((each) => each.customer_id === customer);
    return `customer ${named?.customer_name ?? shortId(customer)}`;
  }
  const named = known?.tenants.find(
    (each) =>
      each.control_plane === plane &&
      (project === undefined
        ? each.domain_id === domain && each.project_id === undefined
        : each.project_id === project),
  );
  if (project === undefined) return `domain ${named?.domain_name ?? shortId(domain ?? "")}`;
  const name = named?.project_name ?? shortId(project);
  return `project ${named?.domain_name === undefined ? name : `${named.domain_name} / ${name}`}`;
}
