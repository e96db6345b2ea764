/** A message as a sender gives it to a broker; `ce-` names are spelt as the protocol's binding wants them. */
export interface SampleMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** When the samples happened: one moment of this run, since an older one would come after its time was called complete. */
const happenedAt = new Date().toISOString();

/** A CloudEvent in JSON. */
export function structuredEvent(id: string, more: Readonly<Record<string, unknown>> = {}): SampleMessage {
  const event = {
    specversion: "1.0",
    id,
    source: "/deploy/region-1",
    type: "org.example.deploy.finished",
    time: happenedAt,
    subject: "hosts/compute-02",
    isochronkind: "change",
    data: { summary: `deploy ${id} finished`, version: "2026.2.1" },
    ...more,
  };
  return {
    headers: { "content-type": "application/cloudevents+json; charset=UTF-8" },
    body: JSON.stringify(event),
  };
}

/** A CloudEvent with its attributes in headers. */
export function binaryEvent(id: string, prefix: "ce-" | "ce_"): SampleMessage {
  const attributes = {
    specversion: "1.0",
    id,
    source: "/backup/région-1",
    type: "org.example.backup.failed",
    time: happenedAt,
    subject: "volumes/0c6fbb1e-7a1f-4a6d-b3a8-51c1f3f0d2aa",
    isochronkind: "symptom",
    severitytext: "ERROR",
  };
  const headers = Object.entries(attributes).map(([name, value]) => [`${prefix}${name}`, value]);
  return {
    headers: { "content-type": "application/json", ...Object.fromEntries(headers) },
    body: JSON.stringify({ message: `backup ${id} failed: no space left` }),
  };
}

/** One of each form that a binding has. */
export function sampleMessages(prefix: "ce-" | "ce_"): readonly SampleMessage[] {
  const { "content-type": _json, ...textHeaders } = binaryEvent("backup-2", prefix).headers;
  return [
    structuredEvent("deploy-1"),
    { ...structuredEvent("deploy-2", { time: undefined }), headers: {} },
    binaryEvent("backup-1", prefix),
    { headers: { ...textHeaders, "content-type": "text/plain" }, body: "no space left on device" },
  ];
}

/** Messages that no CloudEvent can be read from. */
export function brokenMessages(prefix: "ce-" | "ce_"): readonly SampleMessage[] {
  const { [`${prefix}id`]: _id, ...nameless } = binaryEvent("nameless", prefix).headers;
  return [
    { headers: { "content-type": "application/cloudevents+avro" }, body: "Obj" },
    { headers: { "content-type": "application/cloudevents-batch+json" }, body: "[]" },
    { headers: { "content-type": "application/json" }, body: '{"message": "no CloudEvent"}' },
    { headers: nameless, body: "{}" },
    { headers: {}, body: '{"specversion": "1.0", "id": "cut off' },
  ];
}
