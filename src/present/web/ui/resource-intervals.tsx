import type { ResourceJson } from "../../api/contract.ts";
import { nameEntity } from "../state/entity-names.ts";
import { shortId } from "../state/grouping.ts";
import { preferredZone } from "../state/preferences.ts";
import { isProvider } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";

type Held = Pick<
  ResourceJson["ownership"][number],
  "valid_from" | "valid_until" | "known_since" | "stated_by"
>;

/** Whose it was, stretch by stretch: an owner's past stays the owner's. */
export function OwnershipIntervals({ data }: { data: ResourceJson }) {
  if (data.ownership.length === 0) return null;
  return (
    <section aria-labelledby="ownership">
      <h2 id="ownership">Whose it was</h2>
      <Stretches
        caption="Owners, one after the other"
        first="Owner"
        rows={data.ownership.map((held) => ({
          held,
          words: [held.domain, held.owner]
            .flatMap((part) => (part === undefined ? [] : [nameEntity(part)]))
            .join(" / "),
        }))}
      />
    </section>
  );
}

const relationNames = { named: "name", known_as: "known as", has_address: "address" } as const;

/** What it was called, and the addresses that it bore. */
export function Aliases({ data }: { data: ResourceJson }) {
  if (data.aliases.length === 0) return null;
  return (
    <section aria-labelledby="aliases">
      <h2 id="aliases">Names and addresses</h2>
      <Stretches
        caption="Names and addresses, each with its time"
        first="Name or address"
        rows={data.aliases.map((held) => ({
          held,
          hint:
            held.relation === "known_as"
              ? held.alias.kind.replaceAll("_", " ")
              : relationNames[held.relation],
          words: held.alias.id,
        }))}
      />
    </section>
  );
}

interface Stretch {
  readonly held: Held;
  readonly words: string;
  readonly hint?: string;
}

function Stretches({ caption, first, rows }: { caption: string; first: string; rows: readonly Stretch[] }) {
  const provider = isProvider.value;
  const moment = (at: string) => formatMoment(Date.parse(at), preferredZone.value);
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label={`${caption}, scrollable`}>
      <table class="plain">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{first}</th>
            <th scope="col">From</th>
            <th scope="col">Until</th>
            {provider && <th scope="col">We know since</th>}
            {provider && <th scope="col">Stated by</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ held, words, hint }) => (
            <tr key={`${words} ${hint} ${held.valid_from}`}>
              <th scope="row">
                {hint !== undefined && <span class="dim">{hint} </span>}
                {words}
              </th>
              <td class="time">{moment(held.valid_from)}</td>
              <td class="time">{held.valid_until === null ? "still" : moment(held.valid_until)}</td>
              {provider && (
                <td class="time">{held.known_since === undefined ? "" : moment(held.known_since)}</td>
              )}
              {provider && (
                <td title={held.stated_by?.source_id}>
                  {held.stated_by !== undefined &&
                    `${held.stated_by.connection}, record ${shortId(held.stated_by.source_id)}`}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
