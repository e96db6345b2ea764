import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { openIsochron, type Isochron } from "../../src/main.ts";
import type { StoredEvent } from "../../src/model/event.ts";
import type { EventJson } from "../../src/present/api/contract.ts";
import type { WhatElseJson } from "../../src/present/api/what-else-contract.ts";
import { readLabIncident, type LabIncident } from "./lab-incident-truth.ts";
import type { MethodResult, Part, PartResult } from "./part.ts";
import { foldersAround } from "./part.ts";

/** The recording of a lab in which a host was killed: the notifications, the polls of the APIs, and what the driver did. */
export const labIncident: Part = {
  name: "the lab's incident",
  needs: "notifications.jsonl.gz and truth.jsonl.gz, perhaps rest",
  find: (dir) => foldersAround(dir).find((folder) => needed.every((name) => existsSync(join(folder, name)))),
  run: runLab,
};

const needed = ["notifications.jsonl.gz", "truth.jsonl.gz"];
const plane = "default";
const shown = 20;

async function runLab(dir: string): Promise<PartResult> {
  const truth = await readLabIncident(dir);
  const folder = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const isochron = await openLab(folder);
  try {
    await isochron.importFile({
      source: "openstack-notifications",
      connection: "openstack-notifications",
      controlPlane: plane,
      path: join(dir, "notifications.jsonl.gz"),
    });
    const polled = existsSync(join(dir, "rest"));
    if (polled) await isochron.harvestOnce("openstack-inventory", { recorded: join(dir, "rest") });
    const result = await judge(isochron, truth);
    if (polled) return result;
    return {
      ...result,
      notes: [...result.notes, "There is no rest/, and no message says that a host died."],
    };
  } finally {
    await isochron.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each message is asked about by itself, so that none may be folded into a storm of its kind. */
async function openLab(folder: string): Promise<Isochron> {
  const configFile = join(folder, "isochron.yaml");
  const connection = { storm_threshold: 0, config: { url: "env:UNUSED" } };
  const name = "openstack-notifications";
  await writeFile(configFile, JSON.stringify({ connections: [{ name, source: name, ...connection }] }));
  const flags = { config: configFile, data: join(folder, "data"), log_level: "error" };
  const log = createLog({ level: "error", format: "json", colour: false });
  return openIsochron(loadConfig({ env: {}, flags }), log, { version: "bench" });
}

/** Every event between the first and the end of the incident, oldest first. */
async function readAll(isochron: Isochron): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const last = events.at(-1);
    const page = await isochron.store.reader.timeline(
      { kind: "provider" },
      {},
      {
        limit: 1_000,
        order: "oldest",
        ...(last === undefined ? {} : { after: { occurredAt: last.occurredAt, id: last.id } }),
      },
    );
    events.push(...page.events.flatMap((one) => (one.audience === "provider" ? [one.event] : [])));
    if (!page.more) return events;
  }
}

interface Question {
  readonly event: StoredEvent;
  readonly projectId: string;
}

/**
 * What a tenant notices of a server that stood on the host, or was being put there: its errors, and the first that was done
 * to it to bring it back.
 */
function questionsOf(events: readonly StoredEvent[], truth: LabIncident): readonly Question[] {
  const owners = new Map(truth.struck.map(({ serverId, projectId }) => [serverId, projectId]));
  const during = events.filter(({ occurredAt }) => occurredAt > truth.failedAt && occurredAt < truth.overAt);
  const bySubject = Map.groupBy(
    during.filter(({ subject }) => subject.kind === "server"),
    ({ subject }) => subject.id,
  );
  return [...bySubject].flatMap(([serverId, own]) => {
    const hosted = own.some((event) => isOn(event, truth.host));
    const projectId = owners.get(serverId) ?? (hosted ? projectOf(own) : undefined);
    if (projectId === undefined || truth.failedOtherwise.has(serverId)) return [];
    const brought = own.find(({ type }) => /evacuat|rebuild/.test(type));
    const asked = own.filter((event) => event.kind === "symptom" || event === brought);
    return asked.map((event) => ({ event, projectId }));
  });
}

function projectOf(events: readonly StoredEvent[]): string | undefined {
  const owned = events.flatMap(({ attribution }) =>
    attribution.status === "owned" ? [attribution.tenant] : [],
  );
  return owned[0]?.projectId;
}

function isOn({ related }: Pick<StoredEvent, "related">, host: string): boolean {
  return related.some(({ ref }) => ref.kind === "host" && ref.id === host);
}

/** Whether the event says that this host is down: something of it is. */
function saysDown(event: Pick<StoredEvent, "kind" | "type" | "subject" | "related">, host: string): boolean {
  const about = [event.subject, ...event.related.map(({ ref }) => ref)];
  const ofHost = about.some(({ id }) => id === host || id.endsWith(`@${host}`));
  return event.kind === "symptom" && event.subject.kind !== "server" && ofHost;
}

const windowMinutes = 60;

async function judge(isochron: Isochron, truth: LabIncident): Promise<PartResult> {
  const events = await readAll(isochron);
  const questions = questionsOf(events, truth);
  const provider = await isochron.api({ viewer: { kind: "provider", role: "admin" } });
  try {
    const ask = async (app: typeof provider, id: string) => {
      const url = `/api/v1/what-else?event=${id}&window_minutes=${windowMinutes}&limit=${shown}`;
      const answer = await app.inject({ method: "GET", url });
      return {
        text: answer.body,
        answer: answer.statusCode === 200 ? answer.json<WhatElseJson>() : undefined,
      };
    };
    const ours: MethodResult["ranks"][number][] = [];
    for (const { event } of questions) {
      const { answer } = await ask(provider, event.id);
      const place = answer?.candidates.findIndex((one) => isDownJson(one.event, truth.host)) ?? -1;
      ours.push({ question: nameOf(event), rank: place < 0 ? null : place + 1 });
    }
    const tenants = await askTenants(isochron, questions, truth, ask);
    const herrings = events.filter(
      ({ kind, subject, occurredAt }) =>
        kind === "symptom" && truth.failedOtherwise.has(subject.id) && occurredAt > truth.failedAt,
    );
    let blamed = 0;
    for (const { id } of herrings) {
      const { answer } = await ask(provider, id);
      const [first] = answer?.candidates ?? [];
      if (first !== undefined && isDownJson(first.event, truth.host)) blamed += 1;
    }
    return {
      name: labIncident.name,
      asked: `${questions.length} events on what stood on ${truth.host} when it was killed`,
      methods: [
        ...baselines(events, questions, truth.host),
        { method: "Isochron, each tenant: a notice of a shared cause", ranks: tenants.ranks },
        { method: "Isochron, provider: the host is down", ranks: ours },
      ],
      notes: [
        `bytes of tenants' answers that name the host: ${tenants.naming} of ${questions.length} answers`,
        `errors of a tenant's own making that the host is put first for: ${blamed} of ${herrings.length}`,
      ],
    };
  } finally {
    await provider.close();
  }
}

function nameOf({ type, subject }: StoredEvent): string {
  return `${type} ${subject.id}`;
}

function isDownJson(event: EventJson, host: string): boolean {
  return saysDown(
    {
      kind: event.kind,
      type: event.type,
      subject: event.subject,
      related: event.related.map(({ role, kind, id }) => ({ role, ref: { kind, id } })),
    },
    host,
  );
}

async function askTenants(
  isochron: Isochron,
  questions: readonly Question[],
  { host }: LabIncident,
  ask: (
    app: Awaited<ReturnType<Isochron["api"]>>,
    id: string,
  ) => Promise<{ readonly text: string; readonly answer: WhatElseJson | undefined }>,
): Promise<{ readonly ranks: MethodResult["ranks"]; readonly naming: number }> {
  const ranks: MethodResult["ranks"][number][] = [];
  let naming = 0;
  for (const [projectId, own] of Map.groupBy(questions, (one) => one.projectId)) {
    const app = await isochron.api({
      viewer: { kind: "project", controlPlane: plane, projectId, role: "reader" },
    });
    for (const { event } of own) {
      const { text, answer } = await ask(app, event.id);
      if (text.includes(host)) naming += 1;
      const place = answer?.candidates.findIndex((one) => one.event.attribution.status === "affected") ?? -1;
      ranks.push({ question: nameOf(event), rank: place < 0 ? null : place + 1 });
    }
    await app.close();
  }
  return { ranks, naming };
}

/** What others do: the newest before, the newest of the same domain within an hour, and chance. */
function baselines(
  events: readonly StoredEvent[],
  questions: readonly Question[],
  host: string,
): readonly MethodResult[] {
  const rankAmong = (pool: readonly StoredEvent[]): number | null => {
    const place = pool.findIndex((event) => saysDown(event, host));
    return place < 0 ? null : place + 1;
  };
  const hourMs = 3_600_000;
  const near = ({ event }: Question): readonly StoredEvent[] =>
    events.filter(
      (one) => one.id !== event.id && one.kind !== "activity" && event.occurredAt - one.occurredAt <= hourMs,
    );
  const domainOf = ({ attribution }: StoredEvent): string | undefined =>
    attribution.status === "owned" ? attribution.tenant.domainId : undefined;
  const methods: readonly (readonly [string, (question: Question) => number | null])[] = [
    [
      "random",
      (question) => {
        const pool = near(question).filter((one) => one.occurredAt <= question.event.occurredAt);
        const right = pool.filter((one) => saysDown(one, host)).length;
        // Where the first of so many right ones stands on average.
        return right === 0 ? null : (pool.length + 1) / (right + 1);
      },
    ],
    [
      "latest change or symptom before",
      (question) =>
        rankAmong(
          near(question)
            .filter((one) => one.occurredAt <= question.event.occurredAt)
            .toReversed(),
        ),
    ],
    [
      "same domain, 60 min around, newest first",
      (question) =>
        rankAmong(
          near(question)
            .filter((one) => Math.abs(one.occurredAt - question.event.occurredAt) <= hourMs)
            .filter((one) => domainOf(one) === domainOf(question.event))
            .toReversed(),
        ),
    ],
  ];
  return methods.map(([method, rank]) => ({
    method,
    ranks: questions.map((question) => ({ question: nameOf(question.event), rank: rank(question) })),
  }));
}
