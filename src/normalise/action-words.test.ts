import { describe, expect, test } from "vitest";
import { draftOf } from "../../test/facts.ts";
import { redact } from "../../test/redact.ts";
import type { Attribution, Phase } from "../model/event.ts";

const tenant = { controlPlane: "cloud", domainId: "d", projectId: "p" };
const owned: Attribution = { status: "owned", tenant, evidence: [] };

function summaryOf(type: string, phase: Phase | undefined, subject: string): string {
  const draft = draftOf(subject, 10, { type, ...(phase === undefined ? {} : { phase }) });
  return redact(draft, owned, [])[0]!.summary;
}

describe("what a tenant reads of", () => {
  test.each<[string, Phase | undefined, string, string]>([
    ["volume.transfer.create.start", "start", "volume:v", "Volume: transfer create started"],
    ["volume.transfer.create.end", "end", "volume:v", "Volume: transfer create finished"],
    ["volume.transfer.accept.end", "end", "volume:v", "Volume: transfer accept finished"],
    ["volume.transfer.created", "end", "volume:v", "Volume: transfer created"],
    ["volume.status.available", "end", "volume:v", "Volume: available"],
    ["volume.status.error_deleting", "error", "volume:v", "Volume: error deleting"],
    ["volume.backup.available", "end", "backup:b", "Backup: available"],
    ["volume.create.end", "end", "volume:v", "Volume: create finished"],
    ["compute.instance.create.end", "end", "server:s", "Server: create finished"],
    ["compute.instance.live_migration.pre.start", "start", "server:s", "Server: live migration pre started"],
    ["compute.action.confirm_resize", "end", "server:s", "Server: confirm resize finished"],
    ["compute.migration.resize.confirmed", "end", "server:s", "Server: resize confirmed"],
    ["compute.server.error", "error", "server:s", "Server: failed"],
    ["image.active", "end", "image:i", "Image: active"],
    ["router.interface.create.end", "end", "router:r", "Router: interface create finished"],
    ["floatingip.update.end", "end", "floating_ip:f", "Floating ip: update finished"],
    [
      "security_group_rule.create.end",
      "end",
      "security_group:g",
      "Security group: security group rule create finished",
    ],
    [
      "orchestration.stack.resource.create.in_progress",
      "start",
      "stack:s",
      "Stack: resource create in progress",
    ],
    ["orchestration.stack.create.complete", "end", "stack:s", "Stack: create complete"],
    ["octavia.loadbalancer.create.end", "end", "load_balancer:l", "Load balancer: create finished"],
    ["identity.project.created", "end", "project:p", "Project: created"],
    ["identity.role_assignment.created", undefined, "user:u", "User: role assignment created"],
    ["audit.http.request", "start", "server:s", "Server: API call started"],
    ["audit.http.response", "end", "server:s", "Server: API call finished"],
    ["audit.http.response.refused", "error", "server:s", "Server: API call refused"],
    // Nothing of the port's is shown of a host, so that the type has to say what it was about.
    ["port.create.end", "end", "host:h", "Project: port create finished"],
  ])("%s (%s) about %s", (type, phase, subject, summary) => {
    expect(summaryOf(type, phase, subject)).toBe(summary);
  });
});
