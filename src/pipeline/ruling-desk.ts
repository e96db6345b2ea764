import { randomBytes } from "node:crypto";
import { IsochronError } from "../errors.ts";
import { formatInstant, type Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { RulingAnswer, RulingMatch } from "../model/ruling.ts";
import { isNarrow } from "../model/ruling-index.ts";
import { domainKey, projectKey } from "../model/tenant.ts";
import type { RulingHistory, RulingStore, RulingVersion } from "../store/ruling-store.ts";
import type { Store } from "../store/store.ts";
import { decide, type DecisionStages } from "./decisions.ts";
import type { Stages } from "./ingest.ts";
import { dryRun, type DryRun, type DryRunRequest, type DryRunStages } from "./dry-run.ts";

/** A ruling with how many events it decides or contradicts just now. */
export interface StandingRuling extends RulingHistory {
  readonly events: number;
  readonly atLeast: boolean;
}

export interface RulingOrder extends DryRunRequest {
  readonly why: string;
  readonly by: string;
  /** That of the dry run which the decision rests on. */
  readonly digest: string;
  /** Also where a second tenant would see events, or an owner lose some, or not all could be looked at. */
  readonly confirm: boolean;
}

export interface RulingRevision extends RulingOrder {
  readonly expectedVersion: number;
}

export interface RulingWithdrawal {
  readonly why: string;
  readonly by: string;
  readonly expectedVersion: number;
}

export interface RulingDeskParts extends DecisionStages, DryRunStages {
  readonly ruled: RulingStore;
  /** Has what is due answered again; settles when that was begun, or is over, as its owner wants it. */
  readonly onDecided: () => Promise<void>;
}

export function openRulingDesk(
  stages: Stages,
  store: Pick<Store, "decisions" | "rulings">,
  onDecided: RulingDeskParts["onDecided"],
): RulingDesk {
  return new RulingDesk({ ...stages, decisions: store.decisions, ruled: store.rulings, onDecided });
}

/** How many rulings one list tells, and up to how many events each is said to concern. */
const listedMax = 500;
const countedMax = 10_000;

/** Where the provider's people rule about what no rule gives an owner. */
export class RulingDesk {
  readonly #parts: RulingDeskParts;

  constructor(parts: RulingDeskParts) {
    this.#parts = parts;
  }

  async list(): Promise<{ readonly rulings: readonly StandingRuling[]; readonly truncated: boolean }> {
    const histories = await this.#parts.ruled.list(listedMax + 1);
    const rulings = await this.#count(histories.slice(0, listedMax));
    return { rulings, truncated: histories.length > listedMax };
  }

  /** Undefined where there is no such ruling. */
  async find(id: string): Promise<StandingRuling | undefined> {
    const history = await this.#parts.ruled.find(id);
    return history === undefined ? undefined : (await this.#count([history]))[0];
  }

  /** Throws `ruling-invalid` and `tenant-unknown`. */
  async dryRun(request: DryRunRequest): Promise<DryRun> {
    await this.#check(request);
    return dryRun(this.#parts, request);
  }

  /**
   * Rules. Throws as `dryRun` does, `ruling-changed` where it would now do something else than the dry run told, and
   * `ruling-exposes` where that has to be confirmed and is not.
   */
  async make(order: RulingOrder): Promise<StandingRuling> {
    const id = `rul_${randomBytes(10).toString("hex")}`;
    return this.#rule(id, 1, order);
  }

  /** A further version, also of a ruling that was withdrawn. Undefined where there is no such ruling; throws as `make`. */
  async revise(id: string, order: RulingRevision): Promise<StandingRuling | undefined> {
    const history = await this.#parts.ruled.find(id);
    if (history === undefined) return undefined;
    checkVersion(history, order.expectedVersion);
    return this.#rule(id, order.expectedVersion + 1, { ...order, revises: id });
  }

  /** Takes a ruling back: what rested on it waits again. Undefined where there is none; throws `ruling-changed`. */
  async withdraw(
    id: string,
    { why, by, expectedVersion }: RulingWithdrawal,
  ): Promise<StandingRuling | undefined> {
    const history = await this.#parts.ruled.find(id);
    if (history === undefined) return undefined;
    checkVersion(history, expectedVersion);
    const [latest] = history.versions;
    if (latest.withdrawn) {
      throw new IsochronError(
        "ruling-invalid",
        `Ruling ${id} is withdrawn already.`,
        "Make a further version of it.",
      );
    }
    const [standing] = await this.#count([history]);
    const version = expectedVersion + 1;
    const decidedAt = this.#parts.now();
    await this.#decide({ ...latest, version, why, by, decidedAt, withdrawn: true }, "withdrawn", undefined, {
      events: standing?.events ?? 0,
    });
    return this.find(id);
  }

  async #rule(id: string, version: number, order: RulingOrder): Promise<StandingRuling> {
    const { match, answer, why, by } = order;
    const foreseen = await this.dryRun(order);
    if (foreseen.digest !== order.digest) {
      throw new IsochronError(
        "ruling-changed",
        `It would now do something else than the dry run told: ${foreseen.matching} events match, ${foreseen.leave} would leave.`,
        "Look at a new dry run, then decide again; where events keep coming, end the match with `to`.",
      );
    }
    if (!order.confirm) checkHarmless(foreseen);
    const decidedAt = this.#parts.now();
    const ruling = { id, version, match, answer, by, why, decidedAt, withdrawn: false };
    const counts = {
      matching: foreseen.matching,
      leave: foreseen.leave,
      stay: foreseen.stay,
      not_shown: foreseen.notShown,
      provider: foreseen.provider,
      second_tenant: foreseen.secondTenant,
      contradicted: foreseen.contradicted,
      truncated: foreseen.truncated,
    };
    await this.#decide(ruling, version === 1 ? "made" : "revised", foreseen.rulingsVersion, counts);
    return (await this.find(id))!;
  }

  async #decide(
    ruling: RulingVersion,
    step: "made" | "revised" | "withdrawn",
    setVersion: number | undefined,
    counts: JsonObject,
  ): Promise<void> {
    const { id, version, match, answer, by, why, decidedAt } = ruling;
    const change = {
      kind: "ruling",
      version: ruling,
      ...(setVersion === undefined ? {} : { setVersion }),
    } as const;
    await decide(this.#parts, change, {
      key: `ruling/${id}/${version}`,
      type: `isochron.ruling.${step}`,
      subject: { kind: "ruling", id },
      summary: `Ruling ${id} ${step}: ${tellMatch(match)} → ${tellAnswer(answer)}`,
      by,
      why,
      at: decidedAt,
      details: { version, match: matchDetails(match), answer: answerDetails(answer), counts },
    });
    await this.#parts.onDecided();
  }

  async #check({ match, answer }: DryRunRequest): Promise<void> {
    if (!isNarrow(match)) {
      throw new IsochronError(
        "ruling-invalid",
        "The ruling would be about everything that waits.",
        "Narrow it: by event, connection, type, subject, alias, from or to.",
      );
    }
    if (answer.kind === "provider") return;
    const { controlPlane } = match;
    if (controlPlane === undefined) {
      throw new IsochronError(
        "ruling-invalid",
        "The ruling names a tenant, but no control plane.",
        "Name the control plane: ids are unique on one of them only.",
      );
    }
    const { kind, id } = answer.owner;
    const key = kind === "project" ? projectKey(controlPlane, id) : domainKey(controlPlane, id);
    const tenants = await this.#parts.topology.tenants();
    if (tenants.some((tenant) => tenant.key === key)) return;
    throw new IsochronError(
      "tenant-unknown",
      `No ${kind} ${id} is known on ${controlPlane}.`,
      "Check the id and the control plane; GET /api/v1/tenants lists those that are known.",
    );
  }

  async #count(histories: readonly RulingHistory[]): Promise<readonly StandingRuling[]> {
    const ids = histories.map(({ id }) => id);
    const resting = await this.#parts.ruled.resting(ids, countedMax);
    return histories.map((history) => {
      const events = resting.get(history.id) ?? 0;
      return { ...history, events, atLeast: events >= countedMax };
    });
  }
}

function checkVersion({ id, versions: [latest] }: RulingHistory, expected: number): void {
  if (latest.version === expected) return;
  throw new IsochronError(
    "ruling-changed",
    `Ruling ${id} stands at version ${latest.version}, not ${expected}.`,
    "Look at it again, then decide again.",
  );
}

/** Throws `ruling-exposes` where somebody could see, or lose, what the one who decides does not expect. */
function checkHarmless({ secondTenant, contradicted, truncated }: DryRun): void {
  const harm = [
    ...(secondTenant === 0 ? [] : [`${secondTenant} become visible to a second tenant`]),
    ...(contradicted === 0 ? [] : [`${contradicted} are taken from an owner whom facts prove`]),
    ...(truncated ? ["more events match than were looked at"] : []),
  ];
  if (harm.length === 0) return;
  throw new IsochronError(
    "ruling-exposes",
    `Not without confirmation: ${harm.join(", and ")}.`,
    "Narrow the match, or confirm that this is meant.",
  );
}

function tellMatch(match: RulingMatch): string {
  const { eventId, controlPlane, connection, type, subject, alias, from, to } = match;
  const at = (moment: Instant | undefined): string => (moment === undefined ? "" : formatInstant(moment));
  return [
    ...(eventId === undefined ? [] : [`event ${eventId}`]),
    ...(type === undefined ? [] : [`type ${type}`]),
    ...(connection === undefined ? [] : [`connection ${connection}`]),
    ...(controlPlane === undefined ? [] : [`control plane ${controlPlane}`]),
    ...(subject === undefined ? [] : [`subject ${subject.kind} ${subject.id}`]),
    ...(alias === undefined ? [] : [`alias ${alias.kind} ${alias.id}`]),
    ...(from === undefined && to === undefined ? [] : [`from ${at(from)} to ${at(to)}`.trim()]),
  ].join(", ");
}

function tellAnswer(answer: RulingAnswer): string {
  return answer.kind === "provider" ? "the provider" : `${answer.owner.kind} ${answer.owner.id}`;
}

function matchDetails(match: RulingMatch): JsonObject {
  const { eventId, controlPlane, connection, type, subject, alias, from, to } = match;
  return {
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(controlPlane === undefined ? {} : { control_plane: controlPlane }),
    ...(connection === undefined ? {} : { connection }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject: { kind: subject.kind, id: subject.id } }),
    ...(alias === undefined ? {} : { alias: { kind: alias.kind, id: alias.id } }),
    ...(from === undefined ? {} : { from: formatInstant(from) }),
    ...(to === undefined ? {} : { to: formatInstant(to) }),
  };
}

function answerDetails(answer: RulingAnswer): JsonObject {
  return answer.kind === "provider"
    ? { kind: "provider" }
    : { kind: "tenant", [`${answer.owner.kind}_id`]: answer.owner.id };
}
