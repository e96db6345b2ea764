import { useState } from "preact/hooks";

const childrenMax = 200;
const openedDepth = 1;

/** A record as a tree that opens level by level; deep and wide ones stay readable. */
export function JsonTree({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (value === null || typeof value !== "object") return <JsonLeaf value={value} />;
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index): [string, unknown] => [String(index), item])
    : Object.entries(value);
  if (entries.length === 0)
    return <span class="json-leaf dim">{Array.isArray(value) ? "empty list" : "empty"}</span>;
  return (
    <ul class="json">
      {entries.slice(0, childrenMax).map(([name, child]) => (
        <JsonEntry key={name} name={name} value={child} depth={depth} />
      ))}
      {entries.length > childrenMax && <li class="dim">and {entries.length - childrenMax} more</li>}
    </ul>
  );
}

function JsonLeaf({ value }: { value: unknown }) {
  return (
    <span class={`json-leaf${typeof value === "string" ? "" : " json-other"}`}>
      {value === null ? "null" : String(value)}
    </span>
  );
}

function JsonEntry({ name, value, depth }: { name: string; value: unknown; depth: number }) {
  const nested = value !== null && typeof value === "object" && Object.keys(value).length > 0;
  const [open, setOpen] = useState(depth < openedDepth && Object.keys(value ?? {}).length <= 8);
  if (!nested) {
    return (
      <li>
        <span class="json-name">{name}</span> <JsonTree value={value} depth={depth + 1} />
      </li>
    );
  }
  return (
    <li>
      <button type="button" class="json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="twist" aria-hidden="true">
          {open ? "▾" : "▸"}
        </span>
        <span class="json-name">{name}</span>
        <span class="dim">{Object.keys(value).length}</span>
      </button>
      {open && <JsonTree value={value} depth={depth + 1} />}
    </li>
  );
}
