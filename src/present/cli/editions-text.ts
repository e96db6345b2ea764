import type { DisclosureJson } from "../api/editions-contract.ts";
import type { ApiClient } from "./api-client.ts";
import { tenantText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { printable, safeJson } from "./safe-text.ts";
import type { Column, View } from "./view.ts";

/** The most that the API gives at once. */
const editionsMax = 200;

/** Prints what each tenant is shown of an event, and what became of each of the event's fields. */
export async function printEditions(
  client: ApiClient,
  view: View,
  id: string,
  limit: number,
): Promise<number> {
  const answer = await client.editions(id, { limit: Math.min(limit, editionsMax) });
  if (view.format === "ndjson") await view.ndjson(answer.editions);
  else if (view.format === "json") await view.json(answer);
  else {
    for (const { tenant, edition, fields } of answer.editions) {
      await view.line(view.paint("bold", printable(`${tenantText(tenant)} reads: ${edition.summary}`)));
      await view.rows(columns, fields, true);
    }
  }
  if (answer.editions.length === 0) await view.note("No tenant is shown anything of it.");
  else if (answer.more)
    await view.note(`More tenants than these ${answer.editions.length} are shown it; ask for more with -n.`);
  return exitCodes.ok;
}

const columns: readonly Column<DisclosureJson>[] = [
  { name: "field", title: "FIELD", value: ({ field }) => field },
  { name: "class", title: "CLASS", value: (one) => one.class },
  { name: "outcome", title: "OUTCOME", value: ({ outcome }) => outcome },
  { name: "value", title: "EVENT", value: ({ value }) => spell(value) },
  {
    name: "shown",
    title: "TENANT",
    value: ({ outcome, value, shown }) => (outcome === "withheld" ? "" : spell(shown ?? value)),
  },
];

function spell(value: unknown): string {
  return typeof value === "string" ? value : safeJson(value);
}
