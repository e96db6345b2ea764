/** One row of each table, with some of its traps and fixed times. */
type Row = Readonly<Record<string, unknown>>;

const at = (time: string) => `2026-11-20T${time}Z`;
const ids = { project_id: "3e1f8d56e59d4252adf9c69f31d6246b", region_id: "region-1" };
const vm = { vm_id: "2a7c8f0e-5a57-4a1c-8e61-9f1b9d1a0b01", vm_name: "web-1" };
const job = {
  name: "nightly",
  level: "F",
  clientid: 1,
  schedtime: "2026-11-20 23:05:00",
  starttime: "2026-11-20 23:05:01",
};

export const pf9Rows: Readonly<Record<string, readonly Row[]>> = {
  activity_log: [
    {
      timestamp: at("01:00:00"),
      actor: "operator",
      action: "delete",
      resource_type: "server",
      resource_id: vm.vm_id,
      resource_name: "web-1",
      domain_name: "acme",
      result: "success",
    },
    {
      timestamp: at("01:00:01"),
      actor: "operator",
      action: "provision",
      resource_type: "tenant",
      domain_id: "",
      details: '["not an object"]',
      result: "failure",
      error_message: "quota",
    },
  ],
  runbook_executions: [
    {
      execution_id: "run-1",
      runbook_name: "vm_health",
      status: "completed",
      triggered_by: "operator",
      triggered_at: at("01:01:00"),
      started_at: at("01:01:01"),
      completed_at: at("01:02:00"),
      created_at: at("01:01:00"),
    },
  ],
  auth_audit_log: [
    {
      username: "admin",
      action: "login",
      ip_address: "192.0.2.7",
      timestamp: at("01:03:00"),
      success: false,
    },
  ],
  operational_insights: [
    {
      type: "risk",
      severity: "high",
      entity_type: "tenant",
      entity_id: "unclear",
      title: "At risk",
      status: "open",
      detected_at: at("01:04:00"),
      last_seen_at: at("02:00:00"),
    },
    {
      type: "cpu",
      severity: "medium",
      entity_type: "vm",
      entity_id: vm.vm_id,
      entity_name: "web-1",
      title: "Busy",
      status: "resolved",
      detected_at: at("01:04:00"),
      last_seen_at: at("01:05:00"),
      resolved_at: at("01:06:00"),
      metadata: { project: "prod" },
    },
  ],
  support_tickets: [
    {
      ticket_ref: "TKT-1",
      title: "Cannot reach web-1",
      priority: "high",
      status: "resolved",
      opened_by: "alice",
      resolved_by: "bob",
      project_id: ids.project_id,
      domain_id: "",
      resource_type: "vm",
      resource_id: vm.vm_id,
      created_at: at("01:07:00"),
      resolved_at: at("01:08:00"),
      updated_at: at("01:08:00"),
    },
  ],
  backup_history: [
    {
      status: "running",
      backup_type: "scheduled",
      backup_target: "database",
      started_at: at("01:09:00"),
      created_at: at("01:09:00"),
    },
    {
      status: "failed",
      backup_type: "manual",
      backup_target: "ldap",
      error_message: "no room",
      started_at: at("01:09:30"),
      completed_at: at("01:10:00"),
      created_at: at("01:09:00"),
    },
  ],
  snapshot_records: [
    {
      action: "failed",
      status: "ERROR",
      volume_id: "8f3c3b42-7f26-4c58-9c1c-4f1f3a1d2b03",
      volume_name: "data",
      tenant_id: ids.project_id,
      ...ids,
      ...vm,
      error_message: "no such volume",
      created_at: at("01:11:00"),
    },
  ],
  sla_compliance_monthly: [
    {
      tenant_id: ids.project_id,
      month: "2026-11-01",
      region_id: "region-1",
      breach_fields: ["uptime"],
      at_risk_fields: ["rto"],
      computed_at: at("01:12:00"),
    },
  ],
  metering_efficiency: [
    {
      ...vm,
      region_id: "region-1",
      collected_at: at("01:13:00"),
      cpu_efficiency: 97,
      project_name: "prod",
      domain: "acme",
    },
    {
      ...vm,
      region_id: "region-1",
      collected_at: at("01:28:00"),
      cpu_efficiency: 98,
      project_name: "prod",
      domain: "acme",
    },
  ],
  metering_quotas: [
    {
      ...ids,
      project_name: "prod",
      domain: "acme",
      collected_at: at("01:14:00"),
      vcpus_used: 19,
      vcpus_quota: 20,
    },
  ],
  restore_jobs: [
    {
      id: "6c2f0a52-6d9a-4b58-8f7e-0d2b1f6f5a11",
      created_by: "alice",
      status: "FAILED",
      failure_reason: "no host",
      project_id: ids.project_id,
      ...vm,
      restore_point_id: "b53c3d1e-16c3-4a86-8a55-2c9e2b9b7c21",
      created_at: at("01:15:00"),
      started_at: at("01:15:01"),
      finished_at: at("01:16:00"),
    },
  ],
  migration_waves: [
    {
      project_id: "plan-1",
      wave_number: 1,
      name: "pilot",
      status: "executing",
      started_at: at("01:18:00"),
      created_at: at("01:17:00"),
      updated_at: at("01:18:00"),
    },
  ],
};

export const baculaJobs: readonly Row[] = [
  {
    ...job,
    job: "nightly.1",
    type: "B",
    jobstatus: "T",
    endtime: "2026-11-20 23:20:00",
    jobfiles: 12,
    jobbytes: 34567,
  },
  {
    ...job,
    job: "restore.2",
    name: "restore",
    type: "R",
    jobstatus: "f",
    endtime: "2026-11-20 23:21:00",
    joberrors: 1,
  },
  { ...job, job: "nightly.3", type: "B", jobstatus: "R" },
];
