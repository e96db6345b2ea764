import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { losePlace, outliveRetention } from "./opaque.ts";

const moment = fc.integer({ min: 0, max: 4_000_000_000_000 }).map(instant);

test("a lost place is a finding, and a hole from the last answer to the new reading where that is known", () => {
  fc.assert(
    fc.property(fc.option(moment, { nil: undefined }), moment, (heardAt, now) => {
      const { findings, holes } = losePlace("The cluster", heardAt, now);
      expect(findings.map(({ code }) => code)).toEqual(["place-lost"]);
      const isSpan = heardAt !== undefined && heardAt < now;
      expect(holes.map(({ from, to, reason }) => [from, to, reason])).toEqual(
        isSpan ? [[heardAt, now, "place-lost"]] : [],
      );
    }),
  );
});

test("an absence that outlived what is kept is a hole from where it was read to, to what is still kept", () => {
  fc.assert(
    fc.property(moment, moment, (readTo, keptFrom) => {
      const { findings, holes } = outliveRetention("Zabbix", readTo, keptFrom);
      expect(holes.map(({ from, to }) => [from, to])).toEqual(readTo < keptFrom ? [[readTo, keptFrom]] : []);
      expect(findings).toHaveLength(holes.length);
    }),
  );
});
