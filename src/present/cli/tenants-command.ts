import type { Command } from "commander";
import type { TenantJson, TenantTreeJson } from "../api/tenancy-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column } from "./view.ts";

interface TenantsOptions extends ReadOptions {
  readonly tree?: true;
}

export function addTenantsCommand(program: Command, run: Run): void {
  const command = program
    .command("tenants")
    .summary("domains, projects and customers")
    .description(
      "Lists the domains and projects that are known, with the customers that they are counted to.",
    )
    .option("--tree", "by customer, and by control plane, region and domain");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron tenants
  $ isochron tenants --tree
  $ isochron tenants -o csv > tenants.csv`,
    )
    .action(
      run.action((_, options: TenantsOptions) =>
        read(run.host, options, async ({ client, view }) => {
          if (options.tree === true) {
            const tree = await client.tenantTree();
            if (view.format === "json") await view.json(tree);
            else for (const line of treeLines(tree)) await view.line(line);
            return exitCodes.ok;
          }
          const listed = await client.tenants();
          if (view.format === "json") await view.json(listed);
          else if (view.format === "ndjson") await view.ndjson(listed.tenants);
          else await view.rows(columns, listed.tenants);
          return exitCodes.ok;
        }),
      ),
    );
}

const columns: readonly Column<TenantJson>[] = [
  { name: "control_plane", title: "CONTROL PLANE", value: (tenant) => tenant.control_plane },
  { name: "domain_name", title: "DOMAIN", value: (tenant) => tenant.domain_name ?? "" },
  { name: "project_name", title: "PROJECT", value: (tenant) => tenant.project_name ?? "" },
  { name: "customer_id", title: "CUSTOMER", value: (tenant) => tenant.customer_id ?? "" },
  { name: "domain_id", title: "DOMAIN ID", value: (tenant) => tenant.domain_id ?? "" },
  { name: "project_id", title: "PROJECT ID", value: (tenant) => tenant.project_id ?? "" },
];

function* treeLines(tree: TenantTreeJson): Generator<string> {
  for (const customer of tree.customers) {
    yield `customer ${nameOf(customer.customer_name, customer.customer_id)}`;
    for (const tenant of customer.tenants) {
      const { project_id: project, domain_id: domain } = tenant;
      yield project === undefined
        ? `  domain ${nameOf(tenant.domain_name, domain ?? "")}`
        : `  project ${nameOf(tenant.project_name, project)}`;
    }
  }
  for (const plane of tree.control_planes) {
    yield `control plane ${plane.control_plane}`;
    for (const { region_id: region, domains } of plane.regions) {
      // A region that is not known is no level.
      const inset = region === null ? "  " : "    ";
      if (region !== null) yield `  region ${region}`;
      for (const domain of domains) {
        const { domain_id: id } = domain;
        yield `${inset}domain ${id === null ? "not known" : nameOf(domain.domain_name, id)}${ofCustomer(domain)}`;
        for (const project of domain.projects) {
          yield `${inset}  project ${nameOf(project.project_name, project.project_id)}${ofCustomer(project)}`;
        }
      }
    }
  }
}

function nameOf(name: string | undefined, id: string): string {
  return name === undefined ? id : `${name} (${id})`;
}

function ofCustomer({ customer_id: customer }: { customer_id?: string | undefined }): string {
  return customer === undefined ? "" : `, customer ${customer}`;
}
