import type { TableMappingInput } from "../mapping.ts";

/** Bacula's letters for what a job does (`Job.Type`). */
const types = { backup: "B", restore: "R", verify: "V", copy: ["C", "c"], migration: ["g", "M"], admin: "D" };

/** Bacula's letters for how it went (`Status.JobStatus`); all others are ways of waiting or working. */
const succeeded = ["T", "W"];
const differed = ["D"];
const failed = ["E", "f", "I"];
const canceled = ["A"];
const isOver = [...succeeded, ...differed, ...failed, ...canceled, "e"];

type Category = "backup" | "restore" | "platform";

function jobTransitions(name: string, letters: readonly string[], category: Category, noun: string) {
  const ofType = { column: "type", in: [...letters] };
  const at = ["realendtime", "endtime", "starttime", "schedtime"];
  const what = `${noun} {name} ({job})`;
  return [
    {
      name: `${name}_started`,
      when: [ofType],
      stamp: "starttime",
      type: `bacula.${name}.started`,
      kind: "activity" as const,
      category,
      phase: "start" as const,
      summary: `${what} started`,
    },
    {
      name: `${name}_completed`,
      when: [ofType, { column: "jobstatus", in: [...succeeded, ...differed, "e"] }],
      of: "jobstatus",
      stamp: "endtime",
      at,
      type: `bacula.${name}.completed`,
      kind: "change" as const,
      category,
      phase: "end" as const,
      severity: {
        column: "jobstatus",
        words: { d: "warning" as const, e: "warning" as const, w: "warning" as const },
        else: "info" as const,
      },
      summary: `${what} completed: {jobfiles} files, {jobbytes} bytes`,
    },
    {
      name: `${name}_failed`,
      when: [ofType, { column: "jobstatus", in: failed }],
      of: "jobstatus",
      stamp: "endtime",
      at,
      type: `bacula.${name}.failed`,
      kind: "symptom" as const,
      category,
      phase: "error" as const,
      severity: "error" as const,
      summary: `${what} failed with {joberrors} errors (status {jobstatus})`,
    },
    {
      name: `${name}_canceled`,
      when: [ofType, { column: "jobstatus", in: canceled }],
      stamp: "endtime",
      at,
      type: `bacula.${name}.canceled`,
      kind: "human" as const,
      category,
      phase: "error" as const,
      severity: "warning" as const,
      summary: `${what} was canceled`,
    },
  ];
}

/**
 * The catalog of Bacula 9.6 to 15, as bacula-director-pgsql makes it: the director writes a job's row when it is
 * scheduled and changes it in place until it is over. Its times are the director's local ones.
 */
export const baculaTables: readonly TableMappingInput[] = [
  {
    table: "job",
    key: ["jobid"],
    order: { by: "serial", column: "jobid" },
    open: { when: [{ column: "jobstatus", not_in: isOver }] },
    row_kind: "bacula_job",
    // A client is a machine that Bacula knows by a number of its own; whose it is, its catalog does not say.
    related: [{ role: "client", kind: "bacula_client", column: "clientid" }],
    details: ["job", "name", "type", "level", "jobstatus", "priorjobid"],
    transitions: [
      ...jobTransitions("backup", [types.backup], "backup", "Backup"),
      ...jobTransitions("restore", [types.restore], "restore", "Restore"),
      ...jobTransitions("verify", [types.verify], "backup", "Verification"),
      ...jobTransitions("copy", types.copy, "backup", "Copy"),
      ...jobTransitions("migration", types.migration, "backup", "Migration of backups"),
      ...jobTransitions("admin", [types.admin], "platform", "Job"),
    ],
  },
];
