import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { RecalledPage } from "../cursor/inbox.ts";
import { recallPages } from "../cursor/inbox.ts";
import { authHeaders, joinUrl, nameRequest, parseSettings } from "../http-settings.ts";
import { readJsonAnswer } from "../json-answer.ts";
import { asObject, asText } from "../json-fields.ts";
import type { HttpResponse, RawRecord, SourceIo, Span } from "../source.ts";
import { forgeConfig } from "./signature.ts";

/** GitHub gives 100 deliveries a page, and keeps them for some days. */
const pagesMax = 1_000;

type Hook = { readonly url: string; readonly token: string };

/**
 * The deliveries that GitHub made in a span, from its REST API ("Webhooks: list deliveries, get a delivery"), newest
 * first, each with the body that it posted. Undefined where the connection names no webhook to ask about.
 */
export function recallDeliveries(
  config: JsonObject,
  span: Span,
  io: SourceIo,
): AsyncIterable<readonly RawRecord[]> | undefined {
  const { hook } = parseSettings(forgeConfig, config);
  if (hook === undefined) return undefined;
  const first = `${joinUrl(hook.url, "deliveries")}?per_page=100`;
  return recallPages(first, (url) => readDeliveries(hook, url, span, io), pagesMax);
}

async function readDeliveries(
  hook: Hook,
  url: string,
  span: Span,
  io: SourceIo,
): Promise<RecalledPage<string>> {
  const answer = await ask(hook, url, io);
  const list = readJsonAnswer(answer, nameRequest("GET", url));
  if (!Array.isArray(list)) {
    throw new IsochronError(
      "source-malformed",
      `${nameRequest("GET", url)} gives no list of deliveries.`,
      "Give the webhook's own address in `hook`.",
    );
  }
  const deliveries = (list as readonly Json[]).map((item) => asObject(item) ?? {});
  const records: RawRecord[] = [];
  for (const delivery of deliveries) {
    const at = momentOf(delivery);
    if (at >= span.from && at < span.to) records.push(await readDelivery(hook, delivery, io));
  }
  const isPast = deliveries.some((delivery) => momentOf(delivery) < span.from);
  const next = nextOf(answer, hook);
  return { records, ...(next !== undefined && !isPast && { next }) };
}

async function readDelivery(hook: Hook, delivery: JsonObject, io: SourceIo): Promise<RawRecord> {
  const id = String(delivery["id"]);
  const url = joinUrl(hook.url, `deliveries/${encodeURIComponent(id)}`);
  const whole = asObject(readJsonAnswer(await ask(hook, url, io), nameRequest("GET", url)));
  const payload = asObject(whole?.["request"])?.["payload"] ?? null;
  return {
    bytes: new TextEncoder().encode(JSON.stringify(payload)),
    position: `GET deliveries/${id}`,
    receivedAt: instant(momentOf(delivery)),
    meta: {
      forge: "github",
      event: asText(delivery["event"]) ?? "unknown",
      delivery: asText(delivery["guid"]) ?? id,
    },
  };
}

function ask(hook: Hook, url: string, io: SourceIo): Promise<HttpResponse> {
  const headers = { accept: "application/vnd.github+json", ...authHeaders({ bearer: hook.token }, io) };
  return io.http({ method: "GET", url, headers });
}

/** When it was delivered, in milliseconds; a delivery without a time belongs to no span. */
function momentOf(delivery: JsonObject): number {
  return Date.parse(asText(delivery["delivered_at"]) ?? "");
}

/** The address of the next page, from the `Link` header (RFC 8288); another host is never asked, as it would see the token. */
function nextOf({ headers }: HttpResponse, hook: Hook): string | undefined {
  const url = /<([^<>]+)>;\s*rel="next"/.exec(headers["link"] ?? "")?.[1];
  if (url === undefined || !URL.canParse(url)) return undefined;
  return new URL(url).origin === new URL(hook.url).origin ? url : undefined;
}
