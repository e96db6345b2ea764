import type { EntityRef } from "../../src/model/entity.ts";
import { entityKey } from "../../src/model/entity.ts";
import { Cloud, names, type Statement, type Thing } from "./cloud.ts";
import { makeEstate, ref, staffProject, staffUser } from "./estate.ts";
import { Recorder, type TrueRecord } from "./record.ts";
import { makeRequest } from "./request.ts";
import type { History, Step } from "./step.ts";

/** Everything that a history left behind: what sources state of it, and records with whose they truly are. */
export interface World {
  readonly statements: readonly Statement[];
  readonly records: readonly TrueRecord[];
}

const secondsPerStep = 10;

/** Plays a history on both planes. At the end everything that is there, or gone, is listed once. */
export function playHistory({ domains, steps }: History): World {
  const planes = (["north", "south"] as const).map((plane, turn) => {
    const cloud = new Cloud(makeEstate(plane, domains, turn));
    const recorder = new Recorder(cloud);
    for (const step of steps) {
      cloud.second += secondsPerStep;
      // The same ids on both planes, and other owners.
      if (step.on === "both" || step.on === plane) play(cloud, recorder, { ...step, a: step.a + turn });
    }
    cloud.second += secondsPerStep;
    cloud.list(false);
    return { cloud, recorder };
  });
  return {
    statements: planes.flatMap(({ cloud }) => cloud.statements),
    records: planes.flatMap(({ cloud, recorder }) => recorder.records.map((one) => openByTalk(one, cloud))),
  };
}

/** A name of which accounts spoke, whenever that was, may leave its record waiting. */
function openByTalk(record: TrueRecord, { statements }: Cloud): TrueRecord {
  const spokenOf = new Set(
    statements.filter(({ fact }) => fact.relation === "used_by").map(({ fact }) => entityKey(fact.from)),
  );
  const isSpokenOf = record.draft.related.some(
    ({ role, ref: alias }) => role.startsWith("alias") && spokenOf.has(entityKey(alias)),
  );
  return isSpokenOf ? { ...record, determined: false } : record;
}

function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % Math.max(1, list.length)];
}

function play(cloud: Cloud, recorder: Recorder, step: Step): void {
  const happening = creating(cloud, step) ?? changing(cloud, step) ?? asking(cloud, recorder, step);
  if (happening === undefined) recording(cloud, recorder, step);
}

/** Something comes into being. */
function creating(cloud: Cloud, { what, a, b, c, lost }: Step): true | undefined {
  const owner = pick([...cloud.estate.tenants, staffProject], a)!;
  const name = pick(names, b)!;
  const address = ref("ip", `10.0.0.${c % 3}`);
  if (what === "create server" || what === "create untold") {
    const kind = what === "create untold" ? pick(["server", "network", "port", "image"], c)! : "server";
    const server = cloud.create(kind, owner, { name, untold: what === "create untold", ownerLost: lost });
    if (what === "create untold") return true;
    cloud.place(server, ref("host", `host-${c % 3}`), false);
    bear(cloud, server, "aliases", ref("libvirt_domain", `instance-${cloud.things.length}`));
    bear(cloud, server, "addresses", address);
  } else if (what === "create volume") {
    const volume = cloud.create("volume", owner, { name, ownerLost: lost });
    cloud.place(volume, ref("backend", `backend-${c % 2}`), false);
  } else if (what === "create port") {
    const port = cloud.create("port", owner, { name, ownerLost: lost });
    bear(cloud, port, "addresses", address);
    bear(cloud, port, "addresses", ref("mac", `fa:16:3e:00:00:${c % 4}`));
  } else if (what === "create floating ip") {
    const taken = cloud.living(["floating_ip"]).length;
    const floating = cloud.create("floating_ip", owner, { name, ownerLost: lost });
    bear(cloud, floating, "addresses", ref("ip", `203.0.113.${taken}`));
  } else if (what === "create image") {
    cloud.create("image", owner, { name, ownerLost: lost });
  } else if (what === "copy volume") {
    const volume = pick(cloud.living(["volume"]), b);
    if (volume === undefined) return true;
    const copy = cloud.create("snapshot", volume.owner, { name, ownerLost: lost });
    cloud.tell(copy.ref, "copy_of", volume.ref);
  } else return undefined;
  return true;
}

function bear(cloud: Cloud, thing: Thing, as: "aliases" | "addresses", alias: EntityRef): void {
  thing[as].push(alias);
  cloud.tell(thing.ref, as === "addresses" ? "has_address" : "known_as", alias);
}

/** What is there changes. */
function changing(cloud: Cloud, { what, a, b, c, lost }: Step): true | undefined {
  if (what === "rename") {
    const thing = pick(cloud.living(), b);
    if (thing === undefined || thing.untold) return true;
    // A name that nothing else bears can be taken unseen; one that others bear as well is told.
    cloud.rename(thing, lost ? `${thing.ref.id}-${cloud.second}` : pick(names, c)!, lost);
  } else if (what === "transfer") {
    const thing = pick(cloud.living(["volume", "image", "snapshot"]), b);
    // What nobody ever tells of cannot be told to have changed hands.
    if (thing?.untold === false) cloud.transfer(thing, pick(cloud.estate.tenants, a)!, lost);
  } else if (what === "move") {
    const thing = pick(cloud.living(["server"]), b);
    if (thing !== undefined && !thing.untold) cloud.place(thing, ref("host", `host-${(c % 3) + 1}`), lost);
  } else if (what === "remove") {
    const thing = pick(cloud.living(), b);
    if (thing !== undefined) cloud.remove(thing, lost);
  } else if (what === "list") {
    cloud.list(lost);
  } else if (what === "give a role") {
    giveRole(cloud, { a, b, c });
  } else if (what === "take a role") {
    const user = pick(cloud.estate.people, b)!.id;
    const places = cloud.roles.get(user) ?? [];
    const [place] = places;
    if (place === undefined) return true;
    cloud.roles.set(
      user,
      places.filter((other) => entityKey(other) !== entityKey(place)),
    );
    cloud.tell(ref("user", user), "works_in", place, { holds: false, lost });
    cloud.tell(ref("group", `group-of-${user}`), "works_in", place, { holds: false, lost });
  } else return undefined;
  return true;
}

function giveRole(cloud: Cloud, { a, b, c }: Pick<Step, "a" | "b" | "c">): void {
  const { id, home } = pick(cloud.estate.people, b)!;
  if (cloud.hiddenRoles.has(id)) return;
  const place = [
    ref("project", pick(cloud.estate.tenants, a)!),
    ref("domain", cloud.estate.domains.get(home)!),
    ref("project", home),
  ][c % 3]!;
  if (c % 2 === 0) cloud.grantGroup(id, place);
  else cloud.grant(id, place);
}

/** Somebody asks for something. */
function asking(cloud: Cloud, recorder: Recorder, step: Step): true | undefined {
  const { what, a, b, c } = step;
  const sibling = (["none", "lost", "told"] as const)[a % 3]!;
  const rest = { isScoped: c % 2 === 0, byName: b % 2 === 0, sibling };
  if (what === "request") {
    const able = cloud.estate.people.filter(({ id }) => cloud.openReach(id).length > 0);
    const user = pick(able, b)?.id;
    if (user === undefined) return true;
    const project = pick(cloud.openReach(user), c)!;
    const things = cloud.living().filter(({ owner }) => owner === project);
    makeRequest(cloud, recorder, { user, project, things: some(things, a), ...rest });
  } else if (what === "staff request") {
    const thing = pick(cloud.living(), b);
    if (thing === undefined) return true;
    makeRequest(cloud, recorder, { user: staffUser, project: thing.owner, things: [thing], ...rest });
  } else if (what === "neighbours' request") {
    askTogether(cloud, step);
  } else if (what === "hand over") {
    handOver(cloud, recorder, step);
  } else if (what === "secret request") {
    askSecretly(cloud, recorder, step);
  } else return undefined;
  return true;
}

function some<T>(list: readonly T[], number: number): readonly T[] {
  return [...new Set([pick(list, number), pick(list, number + 1)].slice(0, number % 3))].filter(
    (one): one is NonNullable<typeof one> => one !== undefined,
  );
}

/** A thing that one tenant shares with another is spoken of by both. */
function askTogether(cloud: Cloud, { a, b }: Step): void {
  const thing = pick(
    cloud.living().filter(({ untold, owner }) => untold && owner !== staffProject),
    b,
  );
  if (thing === undefined) return;
  const other = pick(cloud.estate.tenants, a)!;
  // Of an image for everybody its owner may never speak.
  for (const project of thing.ref.kind === "image" ? [other] : [other, thing.owner]) {
    const user = `member-${project}`;
    if (!cloud.roles.has(user)) cloud.grant(user, ref("project", project));
    cloud.tell(thing.ref, "used_by", ref("user", user));
  }
}

/** A volume is renamed unseen and given away; who gets it asks for it by its name. */
function handOver(cloud: Cloud, recorder: Recorder, { a, b }: Step): void {
  const volume = pick(
    cloud.living(["volume"]).filter(({ ownerTold }) => ownerTold),
    b,
  );
  const owner = pick(cloud.estate.tenants, a)!;
  if (volume === undefined || volume.owner === staffProject || volume.ownersBefore.has(owner)) return;
  cloud.rename(volume, `${volume.ref.id}-${cloud.second}`, true);
  recorder.byAlias(volume, [ref("name", volume.name)], { isKindTold: false });
  cloud.second += 2;
  cloud.transfer(volume, owner, false);
  const user = `member-${owner}`;
  if (!cloud.roles.has(user)) cloud.grant(user, ref("project", owner));
  for (const spokenOf of [volume.ref, ref("name", volume.name)])
    cloud.tell(spokenOf, "used_by", ref("user", user));
}

/** An account with a role that nothing tells of acts on a thing whose owner is known. */
function askSecretly(cloud: Cloud, recorder: Recorder, { a, b }: Step): void {
  const thing = pick(
    cloud.living(["server", "port"]).filter(({ ownerTold, owner }) => ownerTold && owner !== staffProject),
    a,
  );
  const user = `guest-${b}`;
  if (thing === undefined || cloud.roles.has(user)) return;
  const home = pick(cloud.estate.tenants, b)!;
  if (home === thing.owner) return;
  cloud.grant(user, ref("project", home));
  cloud.hiddenRoles.set(user, thing.owner);
  cloud.tell(ref("user", user), "works_in", ref("project", thing.owner), { lost: true });
  makeRequest(cloud, recorder, {
    user,
    project: thing.owner,
    things: [thing],
    isScoped: false,
    byName: false,
    sibling: "none",
  });
}

/** Something is reported. */
function recording(cloud: Cloud, recorder: Recorder, { what, a, b, c, lost }: Step): void {
  const thing = pick(cloud.things, b);
  const living = pick(cloud.living(), b);
  if (what === "record of the platform") {
    const place = pick(
      [ref("host", `host-${c % 4}`), ref("backend", `backend-${c % 2}`), ref("component", "api")],
      a,
    )!;
    recorder.ofPlatform(place, living);
  } else if (what === "record of a thing" && thing !== undefined) {
    recorder.ofThing(thing, lost, true);
  } else if (what === "record without kind" && thing !== undefined) {
    recorder.ofThing(thing, false, false);
  } else if (what === "record by name" && living !== undefined) {
    recorder.byAlias(living, [ref("name", living.name)], containing(cloud, living, a, c));
  } else if (what === "record by address") {
    const bearer = pick(
      cloud.living().filter(({ addresses, aliases }) => addresses.length + aliases.length > 0),
      b,
    );
    if (bearer === undefined) return;
    const alias = pick([...bearer.addresses, ...bearer.aliases], c)!;
    recorder.byAlias(bearer, [alias], containing(cloud, bearer, a, c));
  } else if (what === "record by name and address") {
    const bearer = pick(
      cloud.living(["server", "port"]).filter(({ addresses }) => addresses.length > 0),
      b,
    );
    if (bearer === undefined) return;
    recorder.byAlias(
      bearer,
      [ref("name", bearer.name), bearer.addresses[0]!],
      containing(cloud, bearer, a, c),
    );
  } else if (what === "record of a stranger") {
    const bearer = pick(
      cloud.living().filter(({ addresses }) => addresses.length > 0),
      b,
    );
    if (bearer === undefined || bearer.ref.kind === "floating_ip") return;
    const chosen = [...bearer.addresses, ref("name", bearer.name)];
    recorder.ofStranger(a % 2 === 0 ? chosen : [pick(chosen, c)!]);
  } else if (what === "record of mentions") {
    const own = cloud.living().filter(({ owner }) => owner === living?.owner);
    const providers = cloud.living().filter(({ owner }) => owner === staffProject);
    recorder.ofMentions([...some(own, a + 1), ...some(providers, c)]);
  }
}

function containing(
  cloud: Cloud,
  thing: Thing,
  a: number,
  c: number,
): { isKindTold: boolean; within?: EntityRef } {
  const domain = ref("domain", cloud.estate.domains.get(thing.owner)!);
  const host = thing.place?.kind === "host" ? thing.place : domain;
  const within = pick([undefined, domain, ref("project", thing.owner), host], a);
  return { isKindTold: c % 3 !== 0, ...(within === undefined ? {} : { within }) };
}
