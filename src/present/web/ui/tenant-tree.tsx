import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import {
  isSameChoice,
  layRows,
  rowsMax,
  seekNodes,
  type TenantChoice,
  type TenantNode,
  type TreeRow,
} from "../state/tenant-tree.ts";

const nothing: readonly TenantNode[] = [];

/** Small trees stand open; in large ones the branches wait to be unfolded. */
const openMax = 60;

/** A tree to choose a tenant from, by pointer, by arrow keys, or by typing, which may begin before the tree is there. */
export function TenantTree(props: {
  id: string;
  /** Undefined while they are being read. */
  nodes: readonly TenantNode[] | undefined;
  chosen: TenantChoice | undefined;
  onPick: (choice: TenantChoice) => void;
}) {
  const { id, chosen } = props;
  const nodes = props.nodes ?? nothing;
  const [text, setText] = useState("");
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const field = useRef<HTMLInputElement>(null);
  const tree = useRef<HTMLUListElement>(null);
  const opensAll = useMemo(() => layRows(nodes, () => true).length <= openMax, [nodes]);
  const found = seekNodes(nodes, text);
  const all = layRows(found, (node) => (text.trim() !== "" || opensAll) !== turned.has(node.key));
  const rows = all.slice(0, rowsMax);
  useLayoutEffect(() => field.current?.focus(), []);
  const turn = (row: TreeRow) => {
    const next = new Set(turned);
    if (!next.delete(row.node.key)) next.add(row.node.key);
    setTurned(next);
  };
  return (
    <div class="tenant-tree" aria-busy={props.nodes === undefined}>
      <input
        ref={field}
        type="search"
        aria-label="Find a tenant by name or id"
        placeholder="Name or id"
        aria-controls={id}
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setTurned(new Set());
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") {
            event.preventDefault();
            tree.current?.focus();
          }
          const only = rows.filter((row) => row.node.choice !== undefined && row.node.children.length === 0);
          if (event.key === "Enter") {
            event.preventDefault();
            if (text.trim() !== "" && only.length === 1) props.onPick(only[0]!.node.choice!);
          }
        }}
      />
      <Rows
        id={id}
        rows={rows}
        chosen={chosen}
        turn={turn}
        pick={props.onPick}
        tree={tree}
        back={() => field.current?.focus()}
      />
      {rows.length === 0 && props.nodes !== undefined && <p class="hint">No tenant is named so.</p>}
      {all.length > rowsMax && (
        <p class="hint">{all.length - rowsMax} more; type a part of the name to find them.</p>
      )}
    </div>
  );
}

interface RowsOf {
  readonly id: string;
  readonly rows: readonly TreeRow[];
  readonly chosen: TenantChoice | undefined;
  readonly turn: (row: TreeRow) => void;
  readonly pick: (choice: TenantChoice) => void;
  readonly tree: { current: HTMLUListElement | null };
  /** Gives the focus back to the field. */
  readonly back: () => void;
}

function Rows(props: RowsOf) {
  const { id, rows, chosen, turn, pick, tree } = props;
  const [current, setCurrent] = useState<string | undefined>(undefined);
  const start = rows.findIndex((row) => row.node.key === current);
  const isChosen = (row: TreeRow) =>
    chosen !== undefined && row.node.choice !== undefined && isSameChoice(row.node.choice, chosen);
  const index = start !== -1 ? start : Math.max(0, rows.findIndex(isChosen));
  useEffect(() => {
    tree.current?.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }, [index]);
  const use = (row: TreeRow) => {
    setCurrent(row.node.key);
    if (row.node.choice === undefined) turn(row);
    else pick(row.node.choice);
  };
  return (
    <ul
      id={id}
      role="tree"
      aria-label="Tenants"
      tabIndex={0}
      ref={tree}
      data-own-keys
      onClick={(event) => {
        const { target } = event;
        if (!(target instanceof Element)) return;
        const item = target.closest("[role=treeitem]");
        const row = rows.find((_, place) => item?.id === `${id}-${place}`);
        if (row !== undefined && target.closest(".twist") !== null) turn(row);
        else if (row !== undefined) use(row);
      }}
      aria-activedescendant={rows[index] === undefined ? undefined : `${id}-${index}`}
      onKeyDown={(event) => {
        if (handleKey(event.key, { ...props, index, setCurrent, use })) event.preventDefault();
        else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
          // What is typed here is meant for the field, not for the page's single keys.
          event.stopPropagation();
          props.back();
        }
      }}
    >
      {rows.map((row, place) => (
        <Row
          key={row.node.key}
          id={`${id}-${place}`}
          row={row}
          current={place === index}
          chosen={isChosen(row)}
        />
      ))}
    </ul>
  );
}

interface KeyContext extends RowsOf {
  readonly index: number;
  readonly setCurrent: (key: string | undefined) => void;
  readonly use: (row: TreeRow) => void;
}

/** The keys that a tree has everywhere; true where the key was one of them. */
function handleKey(key: string, context: KeyContext): boolean {
  const { rows, index, setCurrent, turn, use, back } = context;
  const row = rows[index];
  if (row === undefined) return false;
  const goTo = (place: number) => setCurrent(rows[Math.min(rows.length - 1, Math.max(0, place))]?.node.key);
  switch (key) {
    case "ArrowDown":
      goTo(index + 1);
      return true;
    case "ArrowUp":
      if (index === 0) back();
      else goTo(index - 1);
      return true;
    case "Home":
      goTo(0);
      return true;
    case "End":
      goTo(rows.length - 1);
      return true;
    case "ArrowRight":
      if (row.node.children.length > 0 && !row.open) turn(row);
      else if (row.open) goTo(index + 1);
      return true;
    case "ArrowLeft":
      if (row.open) turn(row);
      else if (row.parent !== undefined) setCurrent(row.parent);
      return true;
    case "Enter":
    case " ":
      use(row);
      return true;
    default:
      return false;
  }
}

function Row(props: { id: string; row: TreeRow; current: boolean; chosen: boolean }) {
  const { row, current, chosen } = props;
  const { node, depth, open, place, siblings } = row;
  const branch = node.children.length > 0;
  return (
    <li
      id={props.id}
      role="treeitem"
      class={`tree-row depth-${Math.min(depth, 4)}${current ? " current" : ""}${chosen ? " chosen" : ""}`}
      aria-level={depth}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-expanded={branch ? open : undefined}
      aria-selected={chosen}
    >
      <span class="twist" aria-hidden="true">
        {branch ? (open ? "▾" : "▸") : ""}
      </span>
      <span class="tree-label">{node.label}</span>
      <span class="dim">{node.level}</span>
    </li>
  );
}
