/** The shapes of storm that the bench sends. */
export const stormModes = ["distinct", "flapping", "cloudevents"] as const;
export type StormMode = (typeof stormModes)[number];

/** One request of a sender: what it posts, where to, and how many events it tells of. */
export interface Post {
  readonly connection: string;
  readonly contentType: string;
  readonly body: string;
  readonly events: number;
}

const instances = 500;
const alertNames = 200;
const flappingFingerprints = 20;
const eventsPerPost = 500;

/**
 * A storm of `count` events that all happened in the minute from `minuteAt`: *distinct* alerts of 500 instances and 200
 * names, as Alertmanager groups them by name; 20 fingerprints *flapping* between firing and resolved; or the distinct
 * ones as batches of *cloudevents* in which all names are mixed.
 */
export function* stormPosts(mode: StormMode, count: number, minuteAt: number): Generator<Post> {
  for (let start = 0; start < count; start += eventsPerPost) {
    const numbers = Array.from(
      { length: Math.min(eventsPerPost, count - start) },
      (_, index) => start + index,
    );
    yield mode === "cloudevents" ? cloudeventsPost(numbers, minuteAt) : alertsPost(mode, numbers, minuteAt);
  }
}

function alertsPost(mode: StormMode, numbers: readonly number[], minuteAt: number): Post {
  const alerts = numbers.map((number) =>
    mode === "flapping" ? flappingAlert(number, minuteAt) : distinctAlert(number, minuteAt),
  );
  const body = { version: "4", groupKey: "{}:{}", receiver: "isochron", status: "firing", alerts };
  return {
    connection: "storm",
    contentType: "application/json",
    body: JSON.stringify(body),
    events: alerts.length,
  };
}

function distinctAlert(number: number, minuteAt: number) {
  const name = `StormAlert${Math.floor(number / instances) % alertNames}`;
  const instance = `node-${number % instances}.example`;
  const round = Math.floor(number / (instances * alertNames));
  return {
    status: "firing",
    labels: { alertname: name, host: instance, severity: "critical", job: "node", round: String(round) },
    annotations: { summary: `${name} on ${instance}`, runbook: `https://runbooks.example/${name}` },
    startsAt: new Date(minuteAt + ((number * 7) % 60_000)).toISOString(),
    generatorURL: `https://prometheus.example/graph?g0.expr=${name}`,
    fingerprint: (number + 1).toString(16).padStart(16, "0"),
  };
}

/** Each flap is a new firing (its start is its own) or its end. */
function flappingAlert(number: number, minuteAt: number) {
  const flap = Math.floor(number / (2 * flappingFingerprints));
  const at = new Date(minuteAt + (flap % 60_000)).toISOString();
  const fingerprint = Math.floor(number / 2) % flappingFingerprints;
  const alert = {
    ...distinctAlert(fingerprint, minuteAt),
    startsAt: at,
    fingerprint: `${(fingerprint + 1).toString(16).padStart(8, "0")}${Math.floor(flap / 60_000)
      .toString(16)
      .padStart(8, "0")}`,
  };
  return number % 2 === 0 ? alert : { ...alert, status: "resolved", endsAt: at };
}

function cloudeventsPost(numbers: readonly number[], minuteAt: number): Post {
  const events = numbers.map((number) => {
    // Steps through all names, so that each batch holds many.
    const mixed = (number * 7919) % (instances * alertNames);
    return {
      specversion: "1.0",
      id: `storm-${number}`,
      source: "/monitoring/bench",
      type: `com.example.alert${Math.floor(mixed / instances)}`,
      time: new Date(minuteAt + ((number * 7) % 60_000)).toISOString(),
      subject: `host/node-${mixed % instances}.example`,
      isochronkind: "symptom",
      data: { value: number },
    };
  });
  return {
    connection: "storm-cloudevents",
    contentType: "application/cloudevents-batch+json",
    body: JSON.stringify(events),
    events: events.length,
  };
}
