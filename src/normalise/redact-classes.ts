import type { EventDraft, TenantEdition } from "../model/event.ts";

/**
 * What may become of a field in a tenant's edition. *Shown* as it is; *replaced*, where the edition has a place for it, by
 * words or an alias that are made without it, and left out elsewhere; *withheld*, so that nothing of it is there.
 */
export type Policy = "shown" | "replaced" | "withheld";

interface ClassRule {
  readonly policy: Policy;
  /** In a sentence for the provider, to whom it is shown beside each field. */
  readonly means: string;
}

/**
 * All classes of field. Who made the act is withheld from everybody of the tenant, its administrators included: an
 * edition is one row for all of the tenant's readers, and Keystone gives a plain reader nothing about accounts.
 */
export const fieldClasses = {
  "public-vocabulary": {
    policy: "shown",
    means: "A word of the vocabulary that everybody can read up, or a time.",
  },
  "own-thing": { policy: "shown", means: "The id of a thing that is proven to be the tenant's." },
  "own-name": { policy: "shown", means: "What such a thing is called." },
  "own-state": { policy: "shown", means: "A state or a number that the tenant's own API shows of it." },
  "own-request": { policy: "shown", means: "The id of a request that the tenant's own project made." },
  catalogue: { policy: "shown", means: "What of the provider's offer the thing was ordered as." },
  place: {
    policy: "replaced",
    means: "A host, service, agent, backend or zone of the provider's; in a notice the tenant's alias of it.",
  },
  "free-text": {
    policy: "replaced",
    means: "What somebody or some program wrote, which may name anything; sentences are written anew.",
  },
  "other-id": { policy: "replaced", means: "The id or name of what is not proven to be the tenant's." },
  actor: { policy: "withheld", means: "Who did it, or on whose behalf." },
  account: { policy: "replaced", means: "An account that the record is about or mentions." },
  address: { policy: "withheld", means: "An address or the like by which something is reached." },
  raw: { policy: "withheld", means: "How the record was told, found and put together." },
  unknown: { policy: "withheld", means: "A field that nobody has put in a class." },
} as const satisfies Readonly<Record<string, ClassRule>>;

export type FieldClass = keyof typeof fieldClasses;
export type Policies = Readonly<Record<FieldClass, Policy>>;

export const policies: Policies = Object.fromEntries(
  Object.entries(fieldClasses).map(([name, { policy }]) => [name, policy]),
) as Policies;

/**
 * The class of every field of a draft. *By what it says* are those whose class depends on their own words, on the subject
 * or on each of their parts; `redact-fields.ts` reads these. A field that is added to a draft does not compile without.
 */
export const draftFields = {
  key: "raw",
  sourceIds: "raw",
  occurredAt: "public-vocabulary",
  precision: "public-vocabulary",
  type: "by what it says",
  kind: "public-vocabulary",
  category: "public-vocabulary",
  phase: "public-vocabulary",
  severity: "public-vocabulary",
  visibility: "public-vocabulary",
  subject: "by what it says",
  subjectName: "by what it says",
  related: "by what it says",
  actor: "by what it says",
  operation: "by what it says",
  stated: "raw",
  platform: "raw",
  twin: "raw",
  summary: "free-text",
  details: "by what it says",
  changes: "by what it says",
} as const satisfies { readonly [Field in keyof Required<EventDraft>]: FieldClass | "by what it says" };

/** The parts of an actor and of an operation that have a class of their own whatever they say. */
export const actorFields: {
  readonly [Field in keyof Required<NonNullable<EventDraft["actor"]>>]: FieldClass;
} = {
  userId: "actor",
  userName: "actor",
  projectId: "actor",
  domainId: "actor",
  address: "address",
};

/**
 * What each field of an edition is made of: the draft's fields of shown classes (`draft`), words of our own (`words`), or
 * the answer to whose it is (`answer`). A field that is added to an edition does not compile without.
 */
export const editionFields = {
  tenant: "answer",
  notice: "answer",
  type: "draft",
  kind: "draft",
  category: "draft",
  phase: "draft",
  severity: "draft",
  visibility: "draft",
  subject: "draft",
  subjectName: "draft",
  related: "draft",
  operation: "draft",
  because: "words",
  summary: "words",
  details: "draft",
} as const satisfies { readonly [Field in keyof Required<TenantEdition>]: "draft" | "words" | "answer" };

/** What a field of an OpenStack payload is called in the edition, by its path; only these can be shown. */
export const payloadShown: Readonly<Record<string, { readonly as: string; readonly class: FieldClass }>> = {
  ...alike("own-state", [
    "size",
    "status",
    "state",
    "old_state",
    "new_task_state",
    "progress",
    "volume_size",
  ]),
  ...alike("catalogue", ["volume_type", "memory_mb", "vcpus"]),
  instance_type: { as: "flavor", class: "catalogue" },
  "flavor.name": { as: "flavor", class: "catalogue" },
  "flavor.memory_mb": { as: "memory_mb", class: "catalogue" },
  "flavor.vcpus": { as: "vcpus", class: "catalogue" },
  new_instance_type: { as: "new_flavor", class: "catalogue" },
  "new_flavor.name": { as: "new_flavor", class: "catalogue" },
};

function alike(of: FieldClass, names: readonly string[]): Record<string, { as: string; class: FieldClass }> {
  return Object.fromEntries(names.map((as) => [as, { as, class: of }]));
}

/**
 * The classes of fields of details by their own names, at any depth, and of all that lies below a field of that name.
 * None of them is ever shown: they tell the provider why each was kept back. What is not here is `unknown`.
 */
export const namedFields: ReadonlyMap<string, FieldClass> = new Map(
  Object.entries({
    place:
      "host hosts node nodes nodename hypervisor hypervisor_hostname publisher availability_zone cell cell_name binary " +
      "backend pool force_hosts ignore_hosts force_nodes binding_id binding:host_id binding:profile host_id observer",
    address:
      "host_ip address addresses ip_address ip_addresses fixed_ips fixed_ip_address floating_ip_address access_ip_v4 " +
      "access_ip_v6 mac_address allowed_address_pairs external_fixed_ips requestPath image_ref_url direct_url url " +
      "api_url external_url generator_url email user_agent endpoint",
    actor:
      "user_id user_name username user action_initiator_user action_initiator_project initiator reporterchain owner_id " +
      "owner_user_name requester author",
    account: "role account group group_id trustor_user_id trustee_user_id",
    "other-id":
      "id uuid instance_uuid instance_id volume_id snapshot_id backup_id image_uuid image_id kernel_id ramdisk_id " +
      "tenant_id project_id project domain_id owner owner_project_name projects port_id device_id network_id subnet_id " +
      "router_id security_groups request_id global_request_id reservation_id aggregate_id resource_info target",
    "free-text":
      "display_name display_description name description message reason fault fail_reason locked_reason " +
      "disabled_reason metadata meta_data properties extra_specs tags summary text error annotations labels ticket " +
      "image_name key_name hostname host_name",
    raw: "source_type time_suspect details_cut related_cut changes_cut seen_by time_from time_is revision_number",
  } satisfies Partial<Record<FieldClass, string>>).flatMap(([of, names]) =>
    names.split(" ").map((name) => [name, of as FieldClass] as const),
  ),
);
