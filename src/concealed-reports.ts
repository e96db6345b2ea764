import { concealSecrets } from "./config-secret.ts";
import type { EventStore } from "./store/event-store.ts";

/** What a connection tells of its troubles is kept and shown: drivers and services repeat what they were given. */
export function concealInReports(events: EventStore): EventStore {
  const conceal = (text: string | undefined) => (text === undefined ? undefined : concealSecrets(text));
  return {
    ...events,
    report: (connection, problem, epoch) => events.report(connection, conceal(problem), epoch),
    noteHealth: (connection, { findings, ...note }) => {
      const told = findings?.map((finding) => ({ ...finding, says: concealSecrets(finding.says) }));
      return events.noteHealth(connection, { ...note, ...(told === undefined ? {} : { findings: told }) });
    },
  };
}
