import type { FastifyInstance } from "fastify";
import {
  connection as worldConnection,
  controlPlane,
  fillWorld,
  hashOf,
  prod,
  tokenText,
  worldEnd,
} from "../api-world.ts";
import { startApi } from "../api-host.ts";
import { openTestStore } from "../database.ts";
import { ruledStagesOver } from "../stages.ts";
import { clean } from "../../src/normalise/clean.ts";
import { createNotices } from "../../src/pipeline/notices.ts";
import { noteTooLarge, receiveRequest } from "../../src/pipeline/receive.ts";
import { openRulingDesk } from "../../src/pipeline/ruling-desk.ts";
import { findWhatElse } from "../../src/pipeline/what-else.ts";
import type { Stages } from "../../src/pipeline/ingest.ts";
import { findSource } from "../../src/sources/registry.ts";

export interface FuzzWorld {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly stages: Stages;
  close(): Promise<void>;
}

/** Of the connections that take posts, by their names. */
export const posted = ["cloudevents", "git-forge", "alertmanager", "otlp-logs", "zabbix-webhook"] as const;

/** The real API over a small estate, with the real way in; only the limits on how much is asked are out of the way. */
export async function openFuzzWorld(): Promise<FuzzWorld> {
  const database = await openTestStore();
  const { store } = database;
  await fillWorld(store);
  await store.tokens.create({
    name: "prod-admin",
    hash: hashOf(tokenText("prod-admin")),
    scope: { kind: "project", controlPlane, projectId: prod.projectId, role: "admin" },
  });
  const stages = ruledStagesOver(store, worldEnd);
  const at = (name: string) =>
    posted.some((one) => one === name) ? { name, source: name, controlPlane: "region-1" } : undefined;
  const settings = { config: {}, secret: () => "never asked for" };
  const app = await startApi(store, {
    whatElse: (scope, query) =>
      findWhatElse({ ...stages, reader: store.reader, correlation: store.correlation }, scope, query),
    ingest: (name, { takeBytes, ...request }) =>
      receiveRequest(stages, findSource, at(name), request, settings, takeBytes),
    noteTooLarge: (name, request) => noteTooLarge(stages, findSource, at(name), request),
    notices: createNotices(store, clean, () => worldEnd).desk,
    rulings: openRulingDesk(stages, store, () => Promise.resolve()),
    limits: { requestsPerMinute: 1e9, refusalsPerMinute: 1e9, refusalStepMs: 0, liveRecheckMs: 3_600_000 },
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const address = app.addresses().find((one) => typeof one === "object");
  if (typeof address !== "object") throw new Error("the API listens nowhere");
  return {
    app,
    port: address.port,
    stages,
    close: async () => {
      await app.close();
      await database.close();
    },
  };
}

/** An id, a name, and whatever else the world's addresses may hold. */
export const worldWords: readonly string[] = [
  worldConnection,
  "srv-web-1",
  "server",
  "p-prod",
  "d-north",
  "region-1",
  "any",
  "cloudevents",
  "maintenance",
];
