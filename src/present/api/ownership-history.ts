import type { Attribution, Evidence, StoredEvent } from "../../model/event.ts";
import { formatInstant } from "../../model/instant.ts";
import type { EarlierAttribution } from "../../store/event-reader.ts";
import type { OwnershipJson } from "./contract.ts";
import { toAttributionJson } from "./event-json.ts";
import type { TenantList } from "./tenant-directory.ts";

type Told = Pick<OwnershipJson, "recorded" | "history" | "done_by">;

/** Who knew what when: each answer with its span of our own clock, and the record that made it differ. Provider only. */
export function tellHistory(
  event: StoredEvent,
  earlier: readonly EarlierAttribution[],
  tenants: TenantList,
): Told {
  const { attribution, controlPlane, recordedAt } = event;
  const doneBy = tellActor(event, tenants);
  return {
    recorded: {
      recorded_at: formatInstant(earlier.at(-1)?.recordedUntil ?? recordedAt),
      recorded_until: null,
      ...tellArrival(earlier.at(-1)?.attribution, attribution),
    },
    ...(doneBy === undefined ? {} : { done_by: doneBy }),
    history: earlier.map((one, index) => ({
      recorded_at: formatInstant(one.recordedAt),
      recorded_until: formatInstant(one.recordedUntil),
      ...tellArrival(earlier[index - 1]?.attribution, one.attribution),
      attribution: toAttributionJson(one.attribution, controlPlane, tenants),
    })),
  };
}

/** The record of the first step that the answer before did not rest on; nothing for a first answer. */
function tellArrival(
  before: Attribution | undefined,
  after: Attribution,
): Pick<NonNullable<Told["recorded"]>, "arrived"> {
  if (before === undefined) return {};
  const known = new Set(before.evidence.map(spell));
  const news = after.evidence.find((step) => step.source !== undefined && !known.has(spell(step)));
  return news?.source === undefined
    ? {}
    : { arrived: { connection: news.source.connection, source_id: news.source.sourceId } };
}

function spell({ rule, verdict, from, to, source, validFrom, validUntil }: Evidence): string {
  return JSON.stringify([
    rule,
    verdict,
    from?.kind,
    from?.id,
    to?.kind,
    to?.id,
    source?.connection,
    source?.sourceId,
    validFrom,
    validUntil,
  ]);
}

/** Who did it, told beside the owner; that both are of one project is said, and never concluded from. */
function tellActor({ actor, attribution, controlPlane }: StoredEvent, tenants: TenantList): Told["done_by"] {
  if (actor === undefined) return undefined;
  const { userId, userName, projectId } = actor;
  if (userId === undefined && userName === undefined && projectId === undefined) return undefined;
  const owner = attribution.status === "owned" ? attribution.tenant : undefined;
  const name = projectId === undefined ? undefined : tenants.projectName(controlPlane, projectId);
  return {
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(userName === undefined ? {} : { user_name: userName }),
    ...(projectId === undefined ? {} : { project_id: projectId }),
    ...(name === undefined ? {} : { project_name: name }),
    is_owner: projectId !== undefined && owner?.projectId === projectId,
  };
}
