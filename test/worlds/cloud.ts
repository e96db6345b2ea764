import type { EntityRef } from "../../src/model/entity.ts";
import { entityKey } from "../../src/model/entity.ts";
import { instant } from "../../src/model/instant.ts";
import type { KnownFact, Relation } from "../../src/model/topology.ts";
import type { Estate } from "./estate.ts";
import { nameOfProject, ref, staffProject, staffUser } from "./estate.ts";

/** One thing that the true history knows, as it is now. */
export interface Thing {
  readonly ref: EntityRef;
  owner: string;
  name: string;
  alive: boolean;
  readonly addresses: EntityRef[];
  readonly aliases: EntityRef[];
  place: EntityRef | undefined;
  /** Where it was and whose it was before: it never comes back there unseen. */
  readonly placesBefore: Set<string>;
  readonly ownersBefore: Set<string>;
  /** What it was ever called while it was whose. */
  readonly calledBy: Map<string, Set<string>>;
  /** True where no source states its owner or name while facts can be lost. */
  readonly untold: boolean;
  /** Whether its first owner was told at once. */
  readonly ownerTold: boolean;
}

/** What a source would state, and whether that may get lost. */
export interface Statement {
  readonly fact: KnownFact;
  readonly lost: boolean;
}

export interface Telling {
  readonly holds?: boolean;
  readonly lost?: boolean;
  readonly secondsAgo?: number;
}

export const names = ["web-1", "db", "data"] as const;

/** Whoever gets a thing gets it with the name that it has. */
function noteName({ calledBy, owner, name }: Thing): void {
  calledBy.set(owner, (calledBy.get(owner) ?? new Set()).add(name));
}

const transferableKinds = new Set(["volume", "image", "snapshot"]);

/**
 * One control plane: the true state at the moment, and everything that sources stated on the way. What begins to bear a
 * name or an address, and roles that are given, are told when it happens; anything else may be lost until a listing.
 */
export class Cloud {
  readonly estate: Estate;
  readonly things: Thing[] = [];
  readonly statements: Statement[] = [];
  /** Account → what it has a role on, directly or through a group. */
  readonly roles = new Map<string, EntityRef[]>();
  /** Roles that no source tells while facts can be lost. */
  readonly hiddenRoles = new Map<string, string>();
  second = 0;
  #number = 0;

  constructor(estate: Estate) {
    this.estate = estate;
    for (const [project, domain] of estate.domains) {
      this.tell(ref("project", project), "part_of", ref("domain", domain));
      this.tell(ref("project", project), "named", ref("name", nameOfProject(project)));
    }
    for (const { id, home } of estate.people) {
      if (id.startsWith("user-")) this.grant(id, ref("project", home));
    }
    this.grant(staffUser, ref("project", staffProject));
  }

  tell(
    from: EntityRef,
    relation: Relation,
    to: EntityRef,
    { holds = true, lost = false, secondsAgo = 0 }: Telling = {},
  ): void {
    const at = instant((this.second - secondsAgo) * 1000);
    const fact: KnownFact = {
      from,
      relation,
      to,
      at,
      holds,
      controlPlane: this.estate.plane,
      connection: "world",
      sourceId: `${this.estate.plane} ${this.statements.length}`,
      recordedAt: at,
    };
    this.statements.push({ fact, lost });
  }

  grant(user: string, place: EntityRef, lost = false): void {
    this.roles.set(user, [...(this.roles.get(user) ?? []), place]);
    this.tell(ref("user", user), "works_in", place, { lost });
  }

  /** Through a group of its own. */
  grantGroup(user: string, place: EntityRef): void {
    this.roles.set(user, [...(this.roles.get(user) ?? []), place]);
    this.tell(ref("group", `group-of-${user}`), "works_in", place);
    this.tell(ref("user", user), "member_of", ref("group", `group-of-${user}`));
  }

  /** The projects for which the account can act by roles that are told. */
  openReach(user: string): readonly string[] {
    const projects = (this.roles.get(user) ?? []).flatMap((place) =>
      place.kind === "project"
        ? [place.id]
        : this.estate.tenants.filter((id) => this.estate.domains.get(id) === place.id),
    );
    return [...new Set(projects)];
  }

  create(
    kind: string,
    owner: string,
    options: { name: string; untold?: boolean; ownerLost?: boolean },
  ): Thing {
    this.#number += 1;
    const untold = options.untold === true;
    const thing: Thing = {
      ref: ref(kind, `${kind}-${this.#number}`),
      owner,
      name: untold ? `${options.name}-of-${kind}-${this.#number}` : options.name,
      alive: true,
      addresses: [],
      aliases: [],
      place: undefined,
      placesBefore: new Set(),
      ownersBefore: new Set([owner]),
      calledBy: new Map(),
      untold,
      ownerTold: !untold && options.ownerLost !== true,
    };
    this.things.push(thing);
    noteName(thing);
    this.tell(thing.ref, "owned_by", ref("project", owner), { lost: untold || options.ownerLost === true });
    this.tell(thing.ref, "named", ref("name", thing.name), { lost: untold });
    return thing;
  }

  /** What it was called is told by then at the latest; what it is called from now on may be lost. */
  rename(thing: Thing, name: string, lost: boolean): void {
    this.tell(thing.ref, "named", ref("name", thing.name), { lost: thing.untold, secondsAgo: 1 });
    thing.name = name;
    noteName(thing);
    this.tell(thing.ref, "named", ref("name", name), { lost: lost || thing.untold });
  }

  place(thing: Thing, place: EntityRef, lost: boolean): boolean {
    if (thing.placesBefore.has(entityKey(place))) return false;
    thing.placesBefore.add(entityKey(place));
    const isLost = lost || thing.untold;
    // The record of a move's start names where it comes from.
    if (thing.place !== undefined) this.#tellPlace(thing, thing.place, { lost: isLost, secondsAgo: 1 });
    thing.place = place;
    this.#tellPlace(thing, place, { lost: isLost });
    return true;
  }

  #tellPlace(thing: Thing, place: EntityRef, telling: Telling): void {
    this.tell(thing.ref, place.kind === "host" ? "runs_on" : "stored_on", place, telling);
  }

  /** Only kinds that can change hands do, and never back to who had it before. */
  transfer(thing: Thing, owner: string, lost: boolean): boolean {
    if (!transferableKinds.has(thing.ref.kind) || thing.ownersBefore.has(owner)) return false;
    thing.ownersBefore.add(owner);
    const isLost = lost || thing.untold;
    // As Cinder does: the record of the start names who gives it away.
    this.tell(thing.ref, "owned_by", ref("project", thing.owner), { lost: isLost, secondsAgo: 1 });
    thing.owner = owner;
    noteName(thing);
    this.tell(thing.ref, "owned_by", ref("project", owner), { lost: isLost });
    return true;
  }

  remove(thing: Thing, lost: boolean): void {
    thing.alive = false;
    // Whose, where and what called it was is told at its end at the latest; what changes and goes unseen, nobody could tell.
    this.tell(thing.ref, "owned_by", ref("project", thing.owner), { lost: thing.untold });
    this.tell(thing.ref, "named", ref("name", thing.name), { lost: thing.untold });
    if (thing.place !== undefined) this.#tellPlace(thing, thing.place, { lost: thing.untold });
    this.#tellRemoval(thing, lost || thing.untold);
  }

  #tellRemoval(thing: Thing, lost: boolean): void {
    this.tell(thing.ref, "removed_from", ref("component", "service"), { lost });
    for (const address of thing.addresses)
      this.tell(thing.ref, "has_address", address, { holds: false, lost });
  }

  /** A listing of everything: what is there, and what is gone since. */
  list(lost: boolean): void {
    for (const thing of this.things) {
      const unseen = lost || thing.untold;
      if (!thing.alive) {
        this.#tellRemoval(thing, unseen);
        continue;
      }
      this.tell(thing.ref, "owned_by", ref("project", thing.owner), { lost: unseen });
      this.tell(thing.ref, "named", ref("name", thing.name), { lost: unseen });
      for (const address of thing.addresses) this.tell(thing.ref, "has_address", address, { lost: unseen });
      if (thing.place !== undefined) this.#tellPlace(thing, thing.place, { lost: unseen });
    }
  }

  living(kinds?: readonly string[]): readonly Thing[] {
    return this.things.filter(({ alive, ref: { kind } }) => alive && (kinds?.includes(kind) ?? true));
  }
}
