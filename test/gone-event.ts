import type { TestStore } from "./database.ts";

/** Takes an event away as retention does in the end: nothing of it can be read any more. */
export async function takeEventAway({ sql }: Pick<TestStore, "sql">, id: string): Promise<void> {
  await sql("DELETE FROM isochron.event WHERE id = $1", [id]);
}
