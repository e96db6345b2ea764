import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { IsochronError } from "../../src/errors.ts";
import { clean } from "../../src/normalise/clean.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { ingest, type Ingested, type Stages } from "../../src/pipeline/ingest.ts";
import {
  bytesOf,
  playFixture,
  playedAt,
  readFixture,
  type Fixture,
} from "../../src/sources/conformance/fixture.ts";
import { sources } from "../../src/sources/registry.ts";
import type { RawRecord, Source } from "../../src/sources/source.ts";
import { openTestStore } from "../database.ts";
import { SeededRandom } from "../faults/seeded-random.ts";
import type { Report, Size } from "../isolation/report.ts";
import { stagesOver } from "../stages.ts";
import { hostileBytes, hostileTexts } from "./hostile-documents.ts";
import { mutateBytes, mutateValue } from "./mutation.ts";

/** How many inputs are made of the fixtures of one decoder; each hostile document comes besides. */
const mutantsOf: Readonly<Record<Size | "small", number>> = { small: 150, short: 1_500, full: 20_000 };
/** How many of them go through the whole pipeline into a store. */
const storedOf: Readonly<Record<Size | "small", number>> = { small: 60, short: 300, full: 2_000 };
/** Far beyond what any record takes; only what hangs is as slow. */
const hangMs = 5_000;
const corpus = new URL("corpus/", import.meta.url);
const refusals = new Set([
  "record-invalid",
  "body-invalid",
  "body-too-large",
  "header-missing",
  "media-type-unknown",
  "signature-invalid",
]);

/** An input that failed once, kept for ever. */
interface Kept {
  readonly source: string;
  readonly base64: string;
  readonly meta: RawRecord["meta"];
}

/** Runs each decoder over mutated fixtures, arbitrary bytes and hostile documents. */
export async function run(report: Report, size: Size | "small", seed = "decoders"): Promise<void> {
  const database = await openTestStore();
  try {
    for (const source of sources) await fuzzSource(report, source, size, seed, stagesOver(database.store));
  } finally {
    await database.close();
  }
}

async function fuzzSource(
  report: Report,
  source: Source,
  size: Size | "small",
  seed: string,
  stages: Stages,
): Promise<void> {
  const random = new SeededRandom(`${seed} ${source.name}`);
  const fixture = readFixture(source.name);
  const sound = await playFixture(source, fixture, decoders);
  const records = [
    ...keptOf(source),
    ...[...hostileTexts.map((text) => Buffer.from(text)), ...hostileBytes].map((bytes) => ({
      ...random.pick(sound),
      bytes,
    })),
    ...Array.from({ length: mutantsOf[size] }, () => mutateRecord(random, random.pick(sound))),
  ];
  const failures = records.flatMap((record) => readBadly(source, record));
  const split = splitBadly(source, fixture, random, mutantsOf[size] / 2);
  const stored = await storeBadly(source, records.slice(-storedOf[size]), stages);
  const all = [...failures, ...split.failures, ...stored];
  const [first] = all;
  report.count(source.name, records.length + split.tried + storedOf[size], all.length, first);
}

function mutateRecord(random: SeededRandom, record: RawRecord): RawRecord {
  const meta = random.chance(0.1) ? mutateValue(random, record.meta) : record.meta;
  const isObject = typeof meta === "object" && meta !== null && !Array.isArray(meta);
  // What the configuration says was checked when it was read.
  const configured = record.meta["zone"] === undefined ? {} : { zone: record.meta["zone"] };
  return {
    ...record,
    bytes: mutateBytes(random, record.bytes),
    meta: isObject
      ? { ...(JSON.parse(JSON.stringify(meta)) as RawRecord["meta"]), ...configured }
      : record.meta,
  };
}

/** What the decoder did that it must never: another error, a hang, or something that cannot be written down. */
function readBadly(source: Source, record: RawRecord): readonly string[] {
  const began = performance.now();
  try {
    JSON.stringify(clean(source.normalise(record, decoders), record.receivedAt));
  } catch (error) {
    if (!(error instanceof IsochronError && refusals.has(error.code)))
      return [keep(source, record, String(error))];
  }
  return performance.now() - began < hangMs ? [] : [keep(source, record, "it hangs")];
}

/** The same for whole requests, whose headers are spoiled as well. */
function splitBadly(
  source: Source,
  { requests = [] }: Fixture,
  random: SeededRandom,
  count: number,
): { readonly tried: number; readonly failures: readonly string[] } {
  if (source.delivery !== "webhook" || requests.length === 0) return { tried: 0, failures: [] };
  const failures: string[] = [];
  for (let tried = 0; tried < count; tried += 1) {
    const request = random.pick(requests);
    const body = mutateBytes(random, bytesOf(request));
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        random.chance(0.1)
          ? String(random.pick(["", "\u00ff", "x".repeat(300), "1", "application/json"]))
          : value,
      ]),
    );
    try {
      for (const record of source.split({ headers, body, receivedAt: playedAt }, decoders))
        failures.push(...readBadly(source, record));
    } catch (error) {
      if (!(error instanceof IsochronError && refusals.has(error.code)))
        failures.push(keep(source, { bytes: body, meta: headers }, `split: ${String(error)}`));
    }
  }
  return { tried: count, failures };
}

/** Every record has to end as an event, set aside, or as facts; none may vanish, and none may stop the others. */
async function storeBadly(
  source: Source,
  records: readonly RawRecord[],
  stages: Stages,
): Promise<readonly string[]> {
  const connection = { name: `fuzz-${source.name}`, source: source.name, controlPlane: "default" };
  await stages.store.connect({ ...connection, config: {} });
  const failures: string[] = [];
  const watched = {
    ...stages,
    onDefect: (_: unknown, record: RawRecord, error: unknown) =>
      void failures.push(keep(source, record, `a defect: ${String(error)}`)),
  };
  for (let from = 0; from < records.length; from += 100) {
    const batch = records.slice(from, from + 100);
    try {
      const outcome = await ingest(watched, { connection, source, stream: "fuzz", records: batch });
      if (settledOf(outcome) !== batch.length)
        failures.push(`${settledOf(outcome)} of ${batch.length} settled`);
    } catch (error) {
      failures.push(`a batch from ${from}: ${String(error)}`);
    }
  }
  return failures;
}

function settledOf({
  created,
  folded,
  repeated,
  revised,
  setAside,
  factsOnly,
  expired = 0,
}: Ingested): number {
  return created + folded + repeated + revised + setAside + factsOnly + expired;
}

/** Writes the input down, so that it is tried again from then on, and gives the failure in words. */
function keep(source: Source, { bytes, meta }: Pick<RawRecord, "bytes" | "meta">, why: string): string {
  const kept: Kept = { source: source.name, base64: Buffer.from(bytes).toString("base64"), meta };
  const name = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  writeFileSync(new URL(`${source.name}-${name}.json`, corpus), `${JSON.stringify(kept)}\n`);
  return `${why.slice(0, 300)} (corpus/${source.name}-${name}.json)`;
}

function keptOf(source: Source): readonly RawRecord[] {
  return readdirSync(corpus)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(new URL(name, corpus), "utf8")) as Kept)
    .filter((kept) => kept.source === source.name)
    .map(({ base64, meta }) => ({
      bytes: Buffer.from(base64, "base64"),
      position: "corpus",
      receivedAt: playedAt,
      meta,
    }));
}
