import type { RetentionStore } from "../retention-store.ts";
import type { AppendTools } from "./append.ts";
import { forgetReaders, listErasures, requestErasure } from "./erasure-requests.ts";
import { countErasure, erase } from "./erasure.ts";
import {
  dropEmptyWeeks,
  expireBatch,
  expireSetAsideBatch,
  liftHold,
  placeHold,
  readHolds,
  releaseRetention,
  takeRetention,
} from "./retention.ts";

export function retentionStore({ pools, tombstones }: AppendTools): RetentionStore {
  const write: <T>(action: Parameters<typeof pools.transact<T>>[2]) => Promise<T> = (action) =>
    pools.transact("ingest", "write", action);
  return {
    take: (holder, ttlMs, restMs) => write((client) => takeRetention(client, holder, ttlMs, restMs)),
    release: (epoch, passed) => write((client) => releaseRetention(client, epoch, passed)),
    expire: (epoch, policy, now, limit) =>
      write((client) => expireBatch(client, tombstones, { epoch, policy, now, limit })),
    expireSetAside: (epoch, policy, now, limit) =>
      write((client) => expireSetAsideBatch(client, tombstones, { epoch, policy, now, limit })),
    dropEmptyWeeks: (epoch, policy, now) => write((client) => dropEmptyWeeks(client, epoch, policy, now)),
    holds: () => pools.transact("ingest", "read", readHolds),
    placeHold: (hold) => write((client) => placeHold(client, hold)),
    liftHold: (id, lifted) => write((client) => liftHold(client, id, lifted)),
    erasures: () => pools.transact("ingest", "read", listErasures),
    countErasure: (target) => countErasure(pools, tombstones, target),
    requestErasure: (request) => write((client) => requestErasure(client, tombstones, request)),
    erase: (epoch, id, now) => erase(pools, tombstones, epoch, id, now),
    forgetReaders: (epoch, doneBefore) => write((client) => forgetReaders(client, epoch, doneBefore)),
  };
}
