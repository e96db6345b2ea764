/**
 * Kinds of thing that events are about. The list is open: a source may use any lower-case word,
 * these are the ones that stages know how to walk.
 */
export type EntityKind =
  | "domain"
  | "project"
  | "user"
  | "group"
  | "role"
  | "server"
  | "host"
  | "service"
  | "aggregate"
  | "flavor"
  | "keypair"
  | "server_group"
  | "migration"
  | "volume"
  | "snapshot"
  | "backup"
  | "transfer"
  | "volume_type"
  | "backend"
  | "image"
  | "network"
  | "subnet"
  | "port"
  | "router"
  | "floating_ip"
  | "security_group"
  | "security_group_rule"
  | "stack"
  | "request"
  | "ip"
  | "mac"
  | "name"
  | "component"
  | "region"
  | "hostname"
  | "libvirt_domain"
  | "path"
  // A thing whose kind the record does not tell: whatever bears that id, of any kind.
  | "resource"
  | (string & {});

/** An immutable id of one kind; ids identify, names only decorate. Unique within one control plane only. */
export interface EntityRef {
  readonly kind: EntityKind;
  readonly id: string;
}

/**
 * How an entity besides the subject takes part in an event. Some roles mean the same from every source:
 * `mentioned`: a record of the cloud's own services speaks of it, which tells whose the record is where nothing else does;
 * `refers_to`: somebody wrote it down, which proves nothing; `alias` (or `alias:server`, where the record tells
 * the kind of thing): a name, address or path by which it speaks of its subject, having no id; `within`: the domain,
 * project, host or request in which, as the record itself proves, an alias is meant.
 */
export interface Related {
  readonly role: string;
  readonly ref: EntityRef;
  /** A name for people to read; never used to join. */
  readonly name?: string;
}

/** `kind:id`, the spelling used in keys, URLs and the command line (there with `/`). */
export function entityKey(ref: EntityRef): string {
  return `${ref.kind}:${ref.id}`;
}

/** The inverse of {@link entityKey}; the id may itself hold colons. */
export function parseEntityKey(key: string): EntityRef {
  const colon = key.indexOf(":");
  return { kind: key.slice(0, colon), id: key.slice(colon + 1) };
}
