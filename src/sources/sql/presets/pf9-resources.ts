/** pf9-mngt's words for kinds of resource, and ours. */
const resourceKinds = [
  { words: ["vm", "server", "instance"], kind: "server" },
  { words: ["volume"], kind: "volume" },
  { words: ["snapshot"], kind: "snapshot" },
  { words: ["network"], kind: "network" },
  { words: ["router"], kind: "router" },
  { words: ["floating_ip"], kind: "floating_ip" },
  { words: ["security_group"], kind: "security_group" },
  { words: ["user"], kind: "user" },
];

/** The resource that a row names by its kind and id. */
export function resourcesBy(type: string, column: string, name: string) {
  return resourceKinds.map(({ words, kind }) => ({
    when: [{ column: type, in: words }],
    kind,
    column,
    name,
  }));
}
