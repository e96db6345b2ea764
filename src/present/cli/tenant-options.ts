import { Option, type Command } from "commander";

/** Which tenant a command is about. */
export interface TenantOptions {
  readonly project?: string;
  readonly domain?: string;
  readonly customer?: string;
  readonly controlPlane: string;
}

export function addTenantOptions(command: Command): Command {
  return command
    .option("--project <id>", "a project")
    .addOption(new Option("--domain <id>", "a domain with what was its own").conflicts("project"))
    .addOption(new Option("--customer <id>", "a configured customer").conflicts(["project", "domain"]));
}

/** The same for the API. */
export function tenantTarget({ project, domain, customer, controlPlane }: TenantOptions) {
  return {
    control_plane: controlPlane,
    ...(project === undefined ? {} : { project_id: project }),
    ...(domain === undefined ? {} : { domain_id: domain }),
    ...(customer === undefined ? {} : { customer_id: customer }),
  };
}

export function namesTenant({ project, domain, customer }: TenantOptions): boolean {
  return project !== undefined || domain !== undefined || customer !== undefined;
}
