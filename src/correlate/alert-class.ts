/**
 * Classes of problems that different monitors mean by different words, the most telling first. `no-data` is the absence of
 * measurements: it says nothing of the thing that is measured.
 */
const classes: readonly (readonly [string, RegExp])[] = [
  ["no-data", /\b(no data|nodata|absent|stale|missing metrics?|not reporting|agent is not available)\b/],
  ["certificate", /\b(certificates?|cert|tls|ssl)\b/],
  ["clock", /\b(clock|ntp|time (sync|drift|skew))\b/],
  ["disk-health", /\b(smart|raid|disk (failure|failed|error|health)|drive (failure|failed))\b/],
  [
    "disk-space",
    /\b(disk|file ?system|filesystem|volume|storage|partition|inodes?)\b.*\b(space|full|usage|free|almost|low|inodes?)\b|\b(space|full|free)\b.*\b(disk|file ?system|filesystem|volume)\b/,
  ],
  ["disk-io", /\b(disk|storage|io)\b.*\b(latency|wait|slow|iops|io|overloaded)\b|\biowait\b/],
  ["memory", /\b(memory|mem|ram|swap|oom)\b/],
  ["load", /\bload( average)?\b/],
  ["cpu", /\b(cpu|processor)\b/],
  ["packet-loss", /\b(packet loss|packets? (dropped|lost)|loss)\b/],
  ["latency", /\b(latency|response time|slow|round.?trip)\b/],
  ["link", /\b(link|interface|nic|bond|port)\b.*\b(down|lost|flap(ping|ped)?|errors?)\b/],
  ["errors", /\b(5xx|http errors?|error rate|errors? ratio)\b/],
  ["temperature", /\b(temperature|overheat(ing|ed)?|fan)\b/],
  ["power", /\b(power|psu|ups|battery)\b/],
  ["replication", /\b(replication|replica|split.?brain|quorum)\b/],
  ["queue", /\b(queue|backlog|consumer lag)\b/],
  ["backup", /\b(backup|snapshot|restore)\b/],
  [
    "process",
    /\b(process|service|daemon|unit|container|pod)\b.*\b(down|failed|not running|stopped|crash(ed|ing)?|restarting)\b/,
  ],
  [
    "down",
    /\b(down|unreachable|unavailable|offline|dead|not responding|no response|lost contact|icmp|ping)\b/,
  ],
];

/** Which class of problem the words mean; undefined where they mean none that is known. */
export function problemClass(words: string): string | undefined {
  const plain = splitWords(words);
  return classes.find(([, pattern]) => pattern.test(plain))?.[0];
}

/** `HostHighCpuLoad`, `host_high_cpu_load` and `Host high CPU load` are the same words. */
export function splitWords(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[^A-Za-z0-9]+/g, " ")
    .trim()
    .toLowerCase();
}
