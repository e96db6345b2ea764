import { createHash, createHmac } from "node:crypto";
import type { Config } from "./config.ts";
import { resolveSecret } from "./config-secret.ts";
import type { Logger } from "./log.ts";
import { instant } from "./model/instant.ts";
import { openErasureDesk, type ErasureDesk } from "./pipeline/erasure-desk.ts";
import { keepRetention, type RetentionTools } from "./pipeline/retention.ts";
import { serverSecret } from "./server-secret.ts";
import type { Store } from "./store/store.ts";

/** What the hashes of what was deleted are made with; it must stay as it is for as long as the store lives. */
export async function erasureKey(config: Config): Promise<Uint8Array> {
  if (config.erasureKey !== undefined)
    return createHash("sha256").update(resolveSecret(config.erasureKey)).digest();
  return createHmac("sha256", await serverSecret(config))
    .update("isochron/erasure")
    .digest();
}

/** Retention, holds and erasures of one process. */
export interface RetentionKeeping {
  /** Deletes what is too old, until the signal ends it. */
  keep(signal: AbortSignal): Promise<void>;
  /** `waits` where a command ends with its answer. */
  desk(waits: boolean): ErasureDesk;
}

export function keepStoreShort(
  config: Config,
  store: Pick<Store, "retention" | "audit">,
  { holder, log }: { readonly holder: string; readonly log: Logger },
): RetentionKeeping {
  const tools: RetentionTools = {
    retention: store.retention,
    policy: config.retention,
    now: () => instant(Date.now()),
    holder,
    onErased: async ({ id, counts, askedBy }) => {
      await store.audit.append([
        {
          at: instant(Date.now()),
          action: "erasure",
          outcome: "done",
          actor: { id: "isochron" },
          object: `erasure:${id}`,
          details: { ...counts },
          personal: { asked_by: askedBy },
        },
      ]);
    },
    onDeleted: async ({ events, editions, setAside, weeks }) => {
      await store.audit.append([
        {
          at: instant(Date.now()),
          action: "retention",
          outcome: "done",
          actor: { id: "isochron" },
          object: "retention",
          details: { events, editions, set_aside: setAside, weeks },
        },
      ]);
    },
    onError: (err) => log.error({ err }, "what is too old could not be deleted"),
  };
  return {
    keep: (signal) => keepRetention(tools, signal),
    desk: (waits) =>
      openErasureDesk({
        ...tools,
        audit: store.audit,
        identityProviders: config.identityProviders.map(({ name }) => name),
        waits,
      }),
  };
}
