import { IsochronError } from "../../src/errors.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { instant } from "../../src/model/instant.ts";
import type { Instant } from "../../src/model/instant.ts";
import type { Json, JsonObject } from "../../src/model/json.ts";
import { clean } from "../../src/normalise/clean.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { createSqlAccess } from "../../src/pipeline/sql-client.ts";
import type { Page, RawRecord, SourceIo } from "../../src/sources/source.ts";
import { sql } from "../../src/sources/sql.ts";
import type { SqlCursor } from "../../src/sources/sql/sql-cursor.ts";

/** What one pass over a database gave. */
export interface ReadPass {
  readonly drafts: readonly EventDraft[];
  /** Records that could not be used, with the reason. */
  readonly setAside: readonly string[];
  readonly completeTo?: number;
  readonly pages: number;
}

const pagesMax = 1_000;

/** The `io` of a connection to a real database; its URL is the secret of `env:URL`. */
export function sqlIo(url: string, warnings: string[] = []): SourceIo {
  const { signal } = new AbortController();
  return {
    http: () => Promise.reject(new Error("it speaks no HTTP")),
    sql: createSqlAccess({ signal }),
    now: () => instant(Date.now()),
    signal,
    warn: (message) => void warnings.push(message),
    secret: () => url,
    readText: () => Promise.resolve(undefined),
  };
}

/** One connection of the `sql` source; its cursor goes through JSON after each page, as it does in the store. */
export class TableReader {
  readonly warnings: string[] = [];
  readonly #config: JsonObject;
  readonly #io: SourceIo;
  #cursor: SqlCursor | undefined;

  constructor(url: string, config: JsonObject) {
    this.#config = { url: "env:URL", ...config };
    this.#io = sqlIo(url, this.warnings);
  }

  /** As after the loss of our own store. */
  forget(): void {
    this.#cursor = undefined;
  }

  /** Reads again from that moment on, as a reconcile does. */
  startAt(at: Instant): void {
    const from = sql.startAt!(this.#config, at, this.#cursor);
    this.#cursor = sql.cursor.parse(JSON.parse(JSON.stringify(from)) as Json) as SqlCursor;
  }

  async page(): Promise<Page<SqlCursor>> {
    const page = await sql.fetch(this.#config, this.#cursor, this.#io);
    this.#cursor = sql.cursor.parse(JSON.parse(JSON.stringify(page.cursor)) as Json) as SqlCursor;
    return page;
  }

  async pass(): Promise<ReadPass> {
    const drafts: EventDraft[] = [];
    const setAside: string[] = [];
    for (let pages = 1; pages <= pagesMax; pages += 1) {
      const page = await this.page();
      for (const record of page.records) {
        const outcome = readOne(record);
        if (typeof outcome === "string") setAside.push(outcome);
        else drafts.push(...outcome);
      }
      if (page.done) {
        return {
          drafts,
          setAside,
          pages,
          ...(page.completeTo === undefined ? {} : { completeTo: page.completeTo }),
        };
      }
    }
    throw new Error("the pass does not end");
  }

  async types(): Promise<readonly string[]> {
    return (await this.pass()).drafts.map((draft) => draft.type);
  }
}

function readOne(record: RawRecord): readonly EventDraft[] | string {
  try {
    return clean(sql.normalise(record, decoders), record.receivedAt).events;
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return error.problem;
    throw error;
  }
}
