import { describe, expect, test } from "vitest";
import { draftOf } from "../../test/facts.ts";
import { redact } from "../../test/redact.ts";
import type { EntityRef } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { projectKey } from "../model/tenant.ts";
import { createAliaser } from "./notice-alias.ts";
import { situationOf } from "./notice-situation.ts";
import { findTemplateProblems, renderTemplate, shippedTexts, templateCharsMax } from "./notice-template.ts";

const tenant = { controlPlane: "cloud", domainId: "d", projectId: "p" };

function noticeOf(resources: readonly EntityRef[], more: Partial<EventDraft> = {}) {
  const draft = draftOf("host:compute-02", 75, { kind: "symptom", ...more });
  const [notice] = redact(draft, { status: "shared", affected: [{ tenant, resources }], evidence: [] }, []);
  return notice!;
}

const servers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ kind: "server", id: `s${index + 1}` }));

describe("a notice", () => {
  test("speaks of one resource, of several and of many", () => {
    const said = (resources: readonly EntityRef[]) => noticeOf(resources).summary.replace(/^.*affected /, "");
    expect(said(servers(1))).toBe("your server s1");
    expect(said(servers(2))).toBe("2 of your servers (s1, s2)");
    expect(said(servers(12))).toBe("12 of your servers (s1, s10, s11 and 9 more)");
    expect(said([...servers(1), { kind: "floating_ip", id: "f" }])).toBe(
      "2 of your resources (floating IP f, server s1)",
    );
  });

  test("shows the place under its alias among what it is related to, so that it can be asked about", () => {
    const { related, because } = noticeOf(servers(1));
    const part = related.find(({ role }) => role === "place")!.ref;
    expect(part).toEqual({ kind: "part", id: expect.stringMatching(/^part-[0-9a-f]{8}$/) });
    expect(because).toBe(
      `Shown because your server stood on ${part.id}, the part of the platform that this was about.`,
    );
  });

  test("calls a service that was forced down trouble, though that was a change", () => {
    const notice = noticeOf(servers(1), { kind: "change", type: "compute.service.forced_down" });
    expect(notice).toMatchObject({ type: "platform.trouble", kind: "change" });
    expect(notice.summary).toMatch(/^Platform trouble on part-/);
  });

  test("tells readers of what is the provider's own, and of what is about security administrators alone", () => {
    const told = (visibility: EventDraft["visibility"]) => noticeOf(servers(1), { visibility }).visibility;
    expect(told("provider")).toBe("operational");
    expect(told("security")).toBe("security");
  });

  test("cleans what the tenant itself calls its resources", () => {
    const { summary } = noticeOf([{ kind: "server", id: "web\u202e\n{part}<b>" }]);
    expect(summary).toMatch(/affected your server web⟨U\+202E⟩ \{part\}<b>$/);
  });
});

describe("an alias", () => {
  test("depends on key, tenant, control plane and place, and on nothing else", () => {
    const place = { kind: "host", id: "compute-02" };
    const aliasOf = createAliaser(new Uint8Array(32).fill(1));
    const alias = aliasOf(projectKey("cloud", "p"), place);
    // Aliases are in tenants' hands: another spelling would break every one of them.
    expect(alias).toBe("part-9b8da747");
    expect(createAliaser(new Uint8Array(32).fill(1))(projectKey("cloud", "p"), place)).toBe(alias);
    expect(createAliaser(new Uint8Array(32).fill(2))(projectKey("cloud", "p"), place)).not.toBe(alias);
    expect(aliasOf(projectKey("cloud", "q"), place)).not.toBe(alias);
    expect(aliasOf(projectKey("other", "p"), place)).not.toBe(alias);
    expect(aliasOf(projectKey("cloud", "p"), { kind: "backend", id: "compute-02" })).not.toBe(alias);
  });
});

describe("a situation", () => {
  const service = (after: string): Partial<EventDraft> => ({
    type: "compute.service.update",
    kind: "change",
    subject: { kind: "service", id: "nova-compute@compute-02" },
    changes: [{ field: "state", before: null, after }],
  });
  test.each<[string, Partial<EventDraft>, string]>([
    ["a host in trouble", { kind: "symptom" }, "host-failure"],
    [
      "a backend in trouble",
      { kind: "symptom", subject: { kind: "backend", id: "ceph" } },
      "storage-trouble",
    ],
    ["a host that is well again", { kind: "recovery" }, "recovery"],
    ["a service that is disabled", service("disabled"), "maintenance-begins"],
    ["a service that is enabled", service("enabled"), "maintenance-ends"],
    ["a service that is forced down", service("disabled, forced down"), "host-failure"],
    ["a service that the inventory saw disabled", { type: "compute.service.disabled" }, "maintenance-begins"],
    [
      "a service that disabled itself",
      {
        type: "compute.service.disabled",
        details: { disabled_reason: "AUTO: Connection to libvirt lost: 1", forced_down: false },
      },
      "host-failure",
    ],
    [
      "a service that was disabled after its host failed",
      { type: "compute.service.disabled", details: { disabled_reason: "host failure", forced_down: false } },
      "host-failure",
    ],
    [
      "a service that is forced down as it is disabled",
      { type: "compute.service.disabled", details: { forced_down: true } },
      "host-failure",
    ],
    [
      "a service whose notification says that it disabled itself",
      { ...service("disabled"), details: { payload: { disabled_reason: "AUTO: no connection" } } },
      "host-failure",
    ],
    [
      "a service that is disabled to exchange what failed",
      { type: "compute.service.disabled", details: { disabled_reason: "exchange of a failed disk" } },
      "maintenance-begins",
    ],
    ["an agent that the inventory saw enabled", { type: "network.agent.enabled" }, "maintenance-ends"],
    ["a service that the inventory saw forced down", { type: "compute.service.forced_down" }, "host-failure"],
    ["a service that is no longer forced down", { type: "compute.service.force_lifted" }, "recovery"],
    ["a maintenance by its phase", { type: "host.maintenance", phase: "start" }, "maintenance-begins"],
    ["a maintenance by its last word", { type: "host.maintenance.ended" }, "maintenance-ends"],
    ["a live migration", { type: "compute.host.live_migration.start" }, "live-migration"],
    ["anything else", { type: "aggregate.add_host.end" }, "default"],
  ])("of %s is told apart", (_what, fields, situation) => {
    expect(situationOf(draftOf("host:compute-02", 1, fields))).toBe(situation);
  });
});

describe("a text", () => {
  const values = { resources: "{part} {host}", count: "2", part: "part-1", when: "now", what: "trouble" };

  test("is filled in once: a name that looks like a placeholder stays what it is", () => {
    expect(renderTemplate("{resources} on {part}", values)).toBe("{part} {host} on part-1");
  });

  test("is never longer than a summary, whatever is filled in", () => {
    const long = { ...values, resources: "r".repeat(5_000) };
    expect(renderTemplate("{resources}".repeat(40), long).length).toBeLessThanOrEqual(1_024);
  });

  test("of the program's own has no problem", () => {
    for (const text of Object.values(shippedTexts)) expect(findTemplateProblems(text)).toEqual([]);
  });

  test("tells all of its problems at once", () => {
    const text = `{host} } \u0007 ${"a".repeat(templateCharsMax)}`;
    expect(findTemplateProblems(text).map(({ code }) => code)).toEqual([
      "too-long",
      "forbidden-characters",
      "unknown-placeholder",
      "unpaired-brace",
    ]);
    expect(findTemplateProblems(" ").map(({ code }) => code)).toEqual(["empty"]);
  });

  test("knows only the placeholders of the list, not what every object has", () => {
    for (const name of ["__proto__", "constructor", "toString", "", "Part"]) {
      expect(findTemplateProblems(`{${name}}`).map(({ code }) => code)).toEqual(["unknown-placeholder"]);
    }
  });
});
