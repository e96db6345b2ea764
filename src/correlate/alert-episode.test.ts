import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { breaks, fires, mends, minuteAt, resolves, toldAt } from "../../test/alert-events.ts";
import { readEpisodes } from "./alert-episode.ts";

const spans = (events: Parameters<typeof readEpisodes>[0]) =>
  readEpisodes(events).map(({ from, to }) => [from, to]);

describe("an episode", () => {
  test("lasts from a symptom to its recovery, and a second one is a second episode", () => {
    const events = [
      fires(0, "host:a"),
      resolves(10, "host:a"),
      fires(20, "host:a"),
      fires(20, "host:b"),
      resolves(25, "host:a"),
    ];
    expect(readEpisodes(events).map(({ subject, from, to }) => [subject.id, from, to])).toEqual([
      ["a", minuteAt(0), minuteAt(10)],
      ["a", minuteAt(20), minuteAt(25)],
      ["b", minuteAt(20), undefined],
    ]);
  });

  test("of which only the end is known has no beginning", () => {
    expect(spans([resolves(10, "host:a")])).toEqual([[undefined, minuteAt(10)]]);
  });

  test("goes on under other labels, and ends when nothing of its series fires any more", () => {
    const under = (value: string) => ({ labels: { alertname: "DiskFull", value } });
    const events = [
      fires(0, "host:a", "DiskFull", under("91")),
      fires(5, "host:a", "DiskFull", under("93")),
      resolves(6, "host:a", "DiskFull", under("91")),
      resolves(30, "host:a", "DiskFull", under("93")),
    ];
    expect(spans(events)).toEqual([[minuteAt(0), minuteAt(30)]]);
    // The old labels end and the new ones begin in the same minute, told in either order.
    const handedOver = [
      fires(0, "host:a", "DiskFull", under("91")),
      resolves(5, "host:a", "DiskFull", under("91")),
      fires(5.5, "host:a", "DiskFull", under("93")),
      resolves(9, "host:a", "DiskFull", under("93")),
    ];
    expect(spans(handedOver)).toEqual([[minuteAt(0), minuteAt(9)]]);
  });

  test("of one alert that ends and begins again within a minute is two episodes", () => {
    const events = [fires(0, "host:a"), resolves(5, "host:a"), fires(5.5, "host:a"), resolves(9, "host:a")];
    expect(spans(events)).toHaveLength(2);
  });

  test("of Zabbix's keeps its series when the trigger is worded anew, and is ended by its own recovery alone", () => {
    const of = (id: string) => ({
      details: { trigger_id: "7" },
      operation: { workflowId: `zabbix-problem:${id}` },
    });
    const events = [
      breaks(0, "host:a", "Disk sda slow", of("1")),
      breaks(1, "host:a", "Disk sdb slow", of("2")),
      mends(4, "host:a", "Disk sda slow", of("1")),
      mends(8, "host:a", "Disk sdb slow", of("2")),
    ];
    expect(spans(events)).toEqual([[minuteAt(0), minuteAt(8)]]);
  });

  test("of a service that is down ends when it is up, however often it was told to be down", () => {
    const at = (minutes: number, word: "down" | "up") =>
      toldAt(minutes, "service:nova-compute@a", {
        type: `compute.service.${word}`,
        category: "platform",
        kind: word === "down" ? "symptom" : "recovery",
      });
    expect(spans([at(0, "down"), at(3, "down"), at(9, "up")])).toEqual([[minuteAt(0), minuteAt(9)]]);
  });

  test("is none where nothing can end it: an error in one request", () => {
    const failed = toldAt(0, "server:a", {
      type: "compute.instance.create.error",
      category: "provisioning",
      phase: "error",
    });
    expect(readEpisodes([failed])).toEqual([]);
  });

  test("of editions that tell no names ends when as many ended as began", () => {
    const edition = (minutes: number, word: "firing" | "resolved") => {
      const { connection: _hidden, ...shown } = toldAt(minutes, "server:a", {
        type: `alert.${word}`,
        kind: word === "firing" ? "symptom" : "recovery",
        summary: `Server: a monitoring alert ${word === "firing" ? "began" : "ended"}`,
      });
      return shown;
    };
    const events = [edition(0, "firing"), edition(1, "firing"), edition(5, "resolved")];
    expect(spans(events)).toEqual([[minuteAt(0), undefined]]);
    expect(spans([...events, edition(9, "resolved")])).toEqual([[minuteAt(0), minuteAt(9)]]);
  });
});

test("episodes are the same whatever order the events arrive in, and however often", () => {
  const events = fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 40 }),
      subject: fc.constantFrom("host:a", "host:b"),
      name: fc.constantFrom("HostDown", "DiskFull"),
      fires: fc.boolean(),
      monitor: fc.constantFrom("one", "two"),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.nat()), (given, numbers) => {
      const told = given.map(({ at, subject, name, fires: on, monitor }) =>
        (on ? fires : resolves)(at, subject, name, { connection: monitor }),
      );
      const shuffled = [...told, ...told.slice(0, 3)]
        .map((event) => [numbers.next().value, event] as const)
        .toSorted(([one], [other]) => one - other)
        .map(([, event]) => event);
      expect(readEpisodes(shuffled)).toEqual(readEpisodes(told));
    }),
  );
});
