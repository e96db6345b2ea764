import { describe, expect, test } from "vitest";
import { inferKind, inferSeverity } from "./event-word.ts";

describe("what kind of thing a row's words tell", () => {
  test.each([
    ["The team starts an upgrade of the brokers", "change"],
    ["Metrics ingestion is disabled", "change"],
    ["The API is down", "symptom"],
    ["There is an increase of load on all hypervisors", "symptom"],
    ["Everything is back to normal", "recovery"],
    ["The restarted brokers have recovered", "recovery"],
    ["On-call engineers investigate errors", "human"],
    ["They decide to restart everything", "human"],
    ["Lunch", "activity"],
    ["Downloads continue", "activity"],
    ["The cache is stopped to avoid further errors", "change"],
    ["We restart the agents because they cannot reach the bus", "change"],
    ["Rolling restart of every gateway", "change"],
    ["Engineers understand why; they're rolling back the release", "change"],
    ["Database primary failed over to its replica", "change"],
    ["Routine maintenance replaces a switch; the hall is cut off for a minute", "change"],
    ["Customers can no longer log in", "symptom"],
    ["The workaround runs and pages are ok, but the scheduler fails to find room", "symptom"],
    ["Two clusters fail over repeatedly", "symptom"],
    ["Neither the portal nor the API responds", "symptom"],
    ["The API that could not be reached is back online", "recovery"],
    ["Names resolve again", "recovery"],
    ["The proxies are restarted; connections are recovering", "recovery"],
    ["The team looks for a way to overcome the outage", "human"],
    ["Les clients ne peuvent plus se connecter", "symptom"],
  ])("%s is a %s", (description, kind) => {
    expect(inferKind(description)).toBe(kind);
  });

  test("only symptoms are more than information", () => {
    expect(inferSeverity("symptom", "The API is down")).toBe("error");
    expect(inferSeverity("symptom", "The API is slow")).toBe("warning");
    expect(inferSeverity("change", "The API is down")).toBe("info");
  });
});
