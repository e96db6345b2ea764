import type { Lane, LaneItem, LaneOrder } from "./lane-item.ts";

/** Which lane an item belongs to. */
export interface LaneName {
  readonly key: string;
  readonly label: string;
  readonly hint?: string;
  readonly href?: string;
}

export interface GroupedItem {
  readonly item: LaneItem;
  readonly lane: LaneName;
}

/** Lanes beyond this many are drawn as one, so that the sums still hold. */
export const lanesMax = 400;

/** Items (in order of time) into lanes, in the order asked for. Every item is in exactly one lane. */
export function groupIntoLanes(grouped: readonly GroupedItem[], order: LaneOrder): Lane[] {
  const byKey = new Map<string, { name: LaneName; items: LaneItem[] }>();
  for (const { item, lane } of grouped) {
    const known = byKey.get(lane.key);
    if (known === undefined) byKey.set(lane.key, { name: lane, items: [item] });
    else known.items.push(item);
  }
  const lanes = [...byKey.values()]
    .map(({ name, items }): Lane => Object.assign({ items }, name))
    .toSorted(comparerOf(order));
  if (lanes.length <= lanesMax) return lanes;
  const rest = lanes.slice(lanesMax - 1);
  const items = rest.flatMap((lane) => lane.items).toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return [
    ...lanes.slice(0, lanesMax - 1),
    { key: "\u{10FFFF}rest", label: `${rest.length} more lanes`, hint: "drawn as one", items },
  ];
}

function byName(a: Lane, b: Lane): number {
  return a.label.localeCompare(b.label, "en", { numeric: true }) || (a.key < b.key ? -1 : 1);
}

function comparerOf(order: LaneOrder): (a: Lane, b: Lane) => number {
  if (order === "name") return byName;
  if (order === "count") return (a, b) => b.items.length - a.items.length || byName(a, b);
  const firsts = new Map<Lane, number>();
  const first = (lane: Lane) => {
    let at = firsts.get(lane);
    if (at === undefined) {
      at = lane.items.find((item) => item.kind === "symptom")?.at ?? Infinity;
      firsts.set(lane, at);
    }
    return at;
  };
  return (a, b) => {
    const [left, right] = [first(a), first(b)];
    if (left !== right) return left < right ? -1 : 1;
    return b.items.length - a.items.length || byName(a, b);
  };
}
