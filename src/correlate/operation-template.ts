/** How one kind of operation is told by records: which steps it has, and when it is over. */
export interface OperationTemplate {
  readonly name: string;
  /** What a person calls it. */
  readonly title: string;
  /** The steps that make it what it is, in their usual order; `*` for any. It is over when all `ends` are. */
  readonly stages: readonly string[];
  /** Those of the stages that must have ended for it to be over; all of them where absent. */
  readonly ends?: readonly string[];
  /** Stages that belong to it only where one of these was seen as well, or where the server's flavor stayed the same. */
  readonly onlyWith?: readonly string[];
  readonly onlyWithSameFlavor?: boolean;
  /** Ends that another source tells of the same thing (types without their phase), without saying when it began. */
  readonly witnesses?: readonly string[];
  /** Stems of other requests' operations that are parts of this one while it runs, by what they speak of. */
  readonly adopts?: readonly string[];
  /** True where what is seen only begins an operation whose own steps have not been told yet. */
  readonly opensOnly?: boolean;
  /** Operations on one and the same thing of this role, close together, are one larger operation. */
  readonly gatheredBy?: { readonly role: string; readonly name: string; readonly title: string };
  /** The resource is not there any more when it is over. */
  readonly removes?: boolean;
  /** How long one is waited for while too few were seen to know better, in milliseconds. */
  readonly usualMs: number;
}

const minute = 60_000;
const hour = 60 * minute;
const server = "compute.instance";
const networkParts = ["port.", "binding."];
const volumeParts = ["volume.create", "volume.attach", "volume.detach", "volume.delete"];

/**
 * Outermost first: where one request shows steps of several, the first one here is what was asked for. The stems are those
 * of Nova's, Cinder's, Glance's and Heat's notifications (legacy and versioned spelling are one by then), Nova's instance
 * actions and migrations (`compute.action.*`, `compute.migration.*`), and the tables of pf9-mngt and Bacula.
 */
export const operationTemplates: readonly OperationTemplate[] = [
  {
    name: "stack",
    title: "Stack",
    stages: [
      "orchestration.stack.create",
      "orchestration.stack.update",
      "orchestration.stack.delete",
      "orchestration.stack.suspend",
      "orchestration.stack.resume",
      "orchestration.stack.rollback",
    ],
    ends: ["*"],
    usualMs: 30 * minute,
  },
  {
    name: "restore",
    title: "Restore",
    stages: ["restore", "bacula.restore", "backup.restore"],
    ends: ["*"],
    adopts: [...volumeParts, `${server}.create`],
    usualMs: 4 * hour,
  },
  {
    name: "evacuate",
    title: "Evacuation",
    stages: [`${server}.rebuild`],
    onlyWith: [`${server}.evacuate`, "compute.action.evacuate", "compute.migration.evacuation"],
    witnesses: ["compute.action.evacuate", "compute.migration.evacuation"],
    adopts: [...networkParts, ...volumeParts],
    gatheredBy: { role: "host", name: "host-evacuation", title: "Evacuation of a host" },
    usualMs: 30 * minute,
  },
  {
    name: "live-migration",
    title: "Live migration",
    stages: [
      `${server}.live_migration_pre`,
      `${server}.live_migration_post`,
      `${server}.live_migration_post_dest`,
    ],
    witnesses: ["compute.action.live_migration", "compute.migration.live_migration"],
    adopts: [...networkParts, ...volumeParts],
    usualMs: hour,
  },
  {
    name: "cold-migration",
    title: "Cold migration",
    stages: [`${server}.resize_prep`, `${server}.resize`, `${server}.resize_finish`],
    ends: [`${server}.resize_finish`],
    onlyWith: ["compute.action.migrate", "compute.migration.migration"],
    onlyWithSameFlavor: true,
    witnesses: ["compute.action.migrate", "compute.migration.migration"],
    adopts: [...networkParts, ...volumeParts],
    usualMs: 2 * hour,
  },
  {
    name: "resize",
    title: "Resize",
    stages: [`${server}.resize_prep`, `${server}.resize`, `${server}.resize_finish`],
    ends: [`${server}.resize_finish`],
    witnesses: ["compute.action.resize", "compute.migration.resize"],
    adopts: [...networkParts, ...volumeParts],
    usualMs: 2 * hour,
  },
  single("resize-confirm", "Confirmation of a resize", `${server}.resize_confirm`, "confirm_resize"),
  single("resize-revert", "Return from a resize", `${server}.resize_revert`, "revert_resize"),
  {
    name: "provisioning",
    title: "Server create",
    stages: [`${server}.create`],
    witnesses: ["compute.action.create"],
    adopts: [...networkParts, ...volumeParts],
    usualMs: 10 * minute,
  },
  single("rebuild", "Rebuild", `${server}.rebuild`, "rebuild"),
  {
    name: "server-delete",
    title: "Server delete",
    stages: [`${server}.delete`],
    witnesses: ["compute.action.delete"],
    adopts: [...networkParts, ...volumeParts],
    removes: true,
    usualMs: 10 * minute,
  },
  {
    name: "shelve",
    title: "Shelve",
    stages: [`${server}.shelve`, `${server}.shelve_offload`],
    ends: [`${server}.shelve`],
    witnesses: ["compute.action.shelve"],
    adopts: [...networkParts, ...volumeParts, "image."],
    usualMs: hour,
  },
  single("unshelve", "Unshelve", `${server}.unshelve`, "unshelve"),
  {
    name: "server-image",
    title: "Image of a server",
    stages: [`${server}.snapshot`],
    witnesses: ["compute.action.create_image", "compute.action.create_backup"],
    adopts: ["image.", "snapshot.create"],
    usualMs: 2 * hour,
  },
  single("reboot", "Reboot", `${server}.reboot`, "reboot"),
  single("rescue", "Rescue", `${server}.rescue`, "rescue"),
  single("unrescue", "Return from rescue", `${server}.unrescue`, "unrescue"),
  single("stop", "Stop", `${server}.power_off`, "stop"),
  single("start", "Start", `${server}.power_on`, "start"),
  single("pause", "Pause", `${server}.pause`, "pause"),
  single("unpause", "Unpause", `${server}.unpause`, "unpause"),
  single("suspend", "Suspend", `${server}.suspend`, "suspend"),
  single("resume", "Resume", `${server}.resume`, "resume"),
  single("volume-attach", "Volume attach", `${server}.volume_attach`, "attach_volume"),
  single("volume-detach", "Volume detach", `${server}.volume_detach`, "detach_volume"),
  single("interface-attach", "Interface attach", `${server}.interface_attach`, "attach_interface"),
  {
    ...single("interface-detach", "Interface detach", `${server}.interface_detach`, "detach_interface"),
    // Nova deletes no port that somebody else made; who deletes it meanwhile does so by a request of their own.
    adopts: ["port.update", "binding."],
  },
  {
    name: "volume-transfer",
    title: "Volume transfer",
    stages: ["volume.transfer.create", "volume.transfer.accept", "volume.transfer.delete"],
    ends: ["*"],
    usualMs: 10 * minute,
  },
  {
    name: "backup",
    title: "Backup",
    stages: ["backup.create", "backup", "bacula.backup"],
    ends: ["*"],
    witnesses: ["volume.backup"],
    adopts: ["snapshot.create"],
    usualMs: 4 * hour,
  },
  {
    name: "snapshot",
    title: "Snapshot",
    stages: ["snapshot.create", "group_snapshot.create"],
    ends: ["*"],
    witnesses: ["volume.snapshot"],
    usualMs: hour,
  },
  { name: "volume-create", title: "Volume create", stages: ["volume.create"], usualMs: 30 * minute },
  {
    name: "volume-delete",
    title: "Volume delete",
    stages: ["volume.delete", "snapshot.delete", "backup.delete"],
    ends: ["*"],
    removes: true,
    usualMs: 30 * minute,
  },
  { name: "volume-extend", title: "Volume extend", stages: ["volume.resize"], usualMs: 30 * minute },
  {
    name: "volume-move",
    title: "Volume migration or retype",
    stages: ["volume.migrate", "volume.retype"],
    ends: ["*"],
    adopts: volumeParts,
    usualMs: 12 * hour,
  },
  { name: "volume-connect", title: "Volume connection", stages: ["volume.attach"], usualMs: 10 * minute },
  { name: "volume-release", title: "Volume release", stages: ["volume.detach"], usualMs: 10 * minute },
  {
    name: "image-upload",
    title: "Image upload",
    stages: ["image.upload"],
    witnesses: ["image.active"],
    usualMs: 4 * hour,
  },
  {
    name: "migration-wave",
    title: "Migration wave",
    stages: ["migration.wave"],
    usualMs: 7 * 24 * hour,
  },
  { name: "runbook", title: "Runbook", stages: ["runbook"], usualMs: 24 * hour },
  {
    name: "placement",
    title: "Placing a server",
    stages: ["scheduler.select_destinations", "compute_task"],
    opensOnly: true,
    usualMs: 10 * minute,
  },
];

function single(name: string, title: string, stem: string, action: string): OperationTemplate {
  return {
    name,
    title,
    stages: [stem],
    witnesses: [`compute.action.${action}`],
    adopts: [...networkParts, ...volumeParts, "image."],
    usualMs: 30 * minute,
  };
}

/** Serves every pair of `.start` and `.end` that no other template names. */
export const genericTemplate: OperationTemplate = {
  name: "other",
  title: "Other operation",
  stages: ["*"],
  usualMs: hour,
};

const byName = new Map(
  [
    ...operationTemplates,
    genericTemplate,
    ...operationTemplates.flatMap((template) => gatheringOf(template) ?? []),
  ].map((template) => [template.name, template]),
);

/** What many operations of a template are together, where they are gathered. */
export function gatheringOf({ gatheredBy, usualMs }: OperationTemplate): OperationTemplate | undefined {
  return gatheredBy === undefined
    ? undefined
    : { name: gatheredBy.name, title: gatheredBy.title, stages: [], usualMs };
}

export function findTemplate(name: string): OperationTemplate | undefined {
  return byName.get(name);
}

export const templateNames: readonly string[] = [...byName.keys()];

const witnessed = new Set(operationTemplates.flatMap(({ witnesses }) => witnesses ?? []));

/** Whether a stem is told by a source that says how an operation stands and not what its steps are. */
export function isWitness(stem: string): boolean {
  return witnessed.has(stem) || /^compute\.(action|migration)\./.test(stem);
}
