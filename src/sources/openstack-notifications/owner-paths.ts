/**
 * Where each notification says whose its subject is, by event type, as the services' own code fills the payload. Read
 * from above: the first row that fits counts. In `types`, `*` stands for anything and `{a,b}` for one of them. `owner`
 * lists fields of the payload, the first that is filled: a project's id, with `domain:` before it a domain's;
 * `<thing>` is the type's first word, `[]` any item of a list, `(form)` the part of the text that the form picks out.
 * `-` says that the payload names no owner, whatever other fields look like one: they name the actor, the receiver or
 * the sender's own service. `resource` is where the subject's id stands, for the reader of this table.
 */
export interface OwnerRow {
  readonly types: string;
  readonly owner: string;
  readonly resource: string;
  readonly note?: string;
}

function row(types: string, owner: string, resource: string, note?: string): OwnerRow {
  return { types, owner, resource, ...(note === undefined ? {} : { note }) };
}

/** The whole table; `readOwnerPath` reads it. */
export const ownerRows: readonly OwnerRow[] = [
  row("audit.http.*", "-", "requestPath", "the initiator is the caller; readAudit reads the path"),

  // Nova
  row("{compute.instance,instance}.*", "tenant_id", "instance_id or uuid"),
  row(
    "compute_task.*",
    "request_spec.project_id | request_spec.instance_properties.project_id",
    "instance_uuid",
  ),
  row(
    "scheduler.select_destinations.*",
    "project_id | request_spec.project_id | request_spec.instance_properties.project_id",
    "instance_uuid",
  ),
  row(
    "{server_group,servergroup}.*",
    "project_id",
    "uuid or server_group_id",
    "absent from the legacy delete",
  ),
  row("volume.usage", "project_id | tenant_id", "volume_id"),
  row("keypair.*", "-", "user_id/name", "a key pair is an account's; tenant_id is the caller's"),
  row("{import,create}_key_pair", "-", "args.user_id", "an account's as well"),
  row("{service,aggregate,libvirt,compute.libvirt}.*", "-", "host or uuid"),
  row("{metrics,compute.metrics}.*", "-", "host"),
  row("compute.exception", "-", "the request"),
  row("flavor.*", "-", "flavorid", "projects[] is who may use it"),

  // Cinder
  row("volume_type_project.access.*", "project_id", "volume_type_id", "whose access to the type was changed"),
  row("{volume_type,qos_specs,capacity}.*", "-", "id or name_to_id"),
  row("scheduler.*", "-", "volume_id where a volume could not be placed"),
  row("volume.*", "tenant_id", "volume_id", "transfer.accept.start names the donor, .end the recipient"),
  row(
    "{snapshot,backup}.*",
    "tenant_id",
    "snapshot_id or backup_id",
    "the copy's; its volume may be another's",
  ),
  row("{group,group_snapshot,consistencygroup,cgsnapshot}.*", "tenant_id", "group_id"),

  // Manila
  row(
    "share.transfer.accept.end",
    "-",
    "share_id",
    "made from the share as it was: project_id is the donor's",
  ),
  row("share.*", "project_id", "share_id"),
  row("{shareType,share_type,qosType,qos_type}*", "-", "id"),

  // Keystone
  row("identity.role_assignment.*", "project | domain:domain", "user or group"),
  row("identity.*", "-", "resource_info or target.id", "the initiator is the actor"),

  // Glance
  row("image.send", "owner_id", "image_id", "receiver_tenant_id owns nothing"),
  row("image.member.*", "-", "image_id", "member_id is another project"),
  row("image.*", "owner", "id"),
  row("task.*", "owner", "id"),
  row("metadef_namespace.*", "owner", "namespace"),
  row("metadef_*", "-", "namespace and name"),

  // Heat: tenant_id is the project of whoever acts, which is the stack's own only while the stack is made.
  row("orchestration.stack.create.*", "stack_identity(arn) | tenant_id", "stack_identity"),
  row("orchestration.*", "stack_identity(arn)", "stack_identity"),

  // Octavia, Designate, Trove, Magnum, Aodh, Swift
  row("octavia.*", "project_id", "loadbalancer_id"),
  row("dns.{zone,domain,recordset,record,zone_import,zone_export}.*", "tenant_id", "id"),
  row("dns.zone_transfer_accept.*", "tenant_id", "zone_id", "the recipient, who owns the zone from then on"),
  row("dns.zone_transfer_request.*", "tenant_id", "id", "the donor; target_tenant_id is the recipient"),
  row("dns.*", "-", "id", "pools, top-level domains and blacklists are the provider's"),
  row("{trove.instance,dbaas}.*", "tenant_id", "instance_id"),
  row("magnum.*", "target.attachments[].content.project_id", "target.id"),
  row("alarm.*", "on_behalf_of", "alarm_id", "in state_transition, project_id is Aodh's own"),
  row(
    "objectstore.http.request",
    "target.metadata.path(account)",
    "target.id",
    "the initiator is the caller",
  ),

  // Ironic, Masakari, Watcher
  row("baremetal.node.*", "lessee | owner", "uuid", "both are null for most: then instance_uuid leads on"),
  row("baremetal.*", "-", "uuid"),
  row("{host,segment,notification}.*", "-", "uuid or payload.instance_uuid"),
  row("{audit,action_plan,action}.*", "-", "uuid or input_parameters.resource_id"),

  // Neutron: `.start` is the request's body as it came, before anybody checked it.
  row("*.start", "-", "<thing>.id, id or <thing>_id"),
  row(
    "router.interface.*",
    "router_interface.project_id | router_interface.tenant_id",
    "port_id",
    "the port's owner",
  ),
  row("agent.*", "-", "agent.id"),
  row("*.{end,exists}", "<thing>.project_id | <thing>.tenant_id", "<thing>.id"),
];
