import type { TableMappingInput } from "../mapping.ts";

/** What pf9-mngt 2.20 measures: service levels, load and quotas. A state that lasts is told once, when it begins. */

const slaComplianceMonthly: TableMappingInput = {
  table: "sla_compliance_monthly",
  key: ["tenant_id", "month", "region_id"],
  order: { by: "time", columns: ["computed_at"] },
  // The same row is computed again every few hours; it is remembered while its month can still change.
  open: { when: [{ column: "month", within_days: 70 }], revisit: false },
  row_kind: "sla",
  // Despite its name the column holds the id of a project.
  owner: [{ kind: "project", column: "tenant_id" }],
  related: [{ role: "region", kind: "region", column: "region_id" }],
  details: [
    "tenant_id",
    "month",
    "breach_fields",
    "at_risk_fields",
    "uptime_actual_pct",
    "rto_worst_hours",
    "rpo_worst_hours",
    "backup_success_pct",
  ],
  transitions: [
    {
      name: "breached",
      of: "breach_fields",
      when: [{ column: "breach_fields", not_in: ["{}", "[]"] }],
      at: ["computed_at"],
      type: "sla.breached",
      kind: "symptom",
      category: "monitoring",
      severity: "critical",
      summary: "Service level of {month} breached: {breach_fields}",
    },
    {
      name: "at_risk",
      of: "at_risk_fields",
      when: [{ column: "at_risk_fields", not_in: ["{}", "[]"] }],
      at: ["computed_at"],
      type: "sla.at_risk",
      kind: "symptom",
      category: "monitoring",
      severity: "warning",
      summary: "Service level of {month} at risk: {at_risk_fields}",
    },
    {
      name: "kept",
      when: [
        { column: "breach_fields", in: ["{}", "[]"] },
        { column: "at_risk_fields", in: ["{}", "[]"] },
      ],
      at: ["computed_at"],
      only_changes: true,
      type: "sla.kept",
      kind: "recovery",
      category: "monitoring",
      summary: "Service level of {month} is kept again",
    },
  ],
};

const busyAbove = 85;
const overloadedAbove = 95;

function loadOf(name: "cpu" | "ram") {
  const column = `${name}_efficiency`;
  return [
    { level: "high", above: busyAbove, severity: "warning" as const },
    { level: "critical", above: overloadedAbove, severity: "critical" as const },
  ].map(({ level, above, severity }) => ({
    name: `${name}_${level}`,
    when: [{ column, above }],
    at: ["collected_at"],
    type: `usage.${name}.${level}`,
    kind: "symptom" as const,
    category: "usage" as const,
    severity,
    summary: `${name === "cpu" ? "Processor" : "Memory"} of {vm_name} above ${above} %: {${column}} %`,
  }));
}

const meteringEfficiency: TableMappingInput = {
  table: "metering_efficiency",
  key: ["id"],
  order: { by: "serial", column: "id" },
  series: ["vm_id", "region_id"],
  row_kind: "measurement",
  // The table has names only; the server's own owner is known by its id.
  subject: [{ kind: "server", column: "vm_id", name: "vm_name" }],
  owner_names: { project: "project_name", domain: "domain" },
  related: [{ role: "region", kind: "region", column: "region_id" }],
  details: [
    "cpu_efficiency",
    "ram_efficiency",
    "storage_efficiency",
    "overall_score",
    "classification",
    "recommendation",
  ],
  transitions: [...loadOf("cpu"), ...loadOf("ram")],
};

const quotas = [
  "vcpus",
  "ram",
  "instances",
  "volumes",
  "storage",
  "snapshots",
  "floating_ips",
  "networks",
  "ports",
  "security_groups",
];

function quotaOf(name: string) {
  const unit = name === "ram" ? "_mb" : name === "storage" ? "_gb" : "";
  const [used, quota] = [`${name}_used${unit}`, `${name}_quota${unit}`];
  return {
    name: `${name}_high`,
    when: [{ column: used, above: busyAbove / 100, of: quota }],
    at: ["collected_at"],
    type: `usage.quota.${name}`,
    kind: "symptom" as const,
    category: "usage" as const,
    severity: "warning" as const,
    summary: `{project_name} uses {${used}} of {${quota}} ${name.replaceAll("_", " ")}`,
  };
}

const meteringQuotas: TableMappingInput = {
  table: "metering_quotas",
  key: ["id"],
  order: { by: "serial", column: "id" },
  series: ["project_id", "region_id"],
  row_kind: "measurement",
  owner: [{ kind: "project", column: "project_id" }],
  owner_names: { project: "project_name", domain: "domain" },
  related: [{ role: "region", kind: "region", column: "region_id" }],
  details: ["project_id"],
  transitions: quotas.map(quotaOf),
};

export const pf9Usage: readonly TableMappingInput[] = [
  slaComplianceMonthly,
  meteringEfficiency,
  meteringQuotas,
];
