import { useCallback, useId, useState } from "preact/hooks";
import type { TenantTreeJson } from "../../api/tenancy-contract.ts";
import { growTree, type TenantChoice } from "../state/tenant-tree.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { usePageData } from "./page-data.ts";
import { PopoverHolder } from "./popover-holder.tsx";
import { TenantTree } from "./tenant-tree.tsx";

/** A control that opens the tree of tenants; the tree is read when it is first wanted. */
export function TenantPick(props: {
  label: string;
  /** The chosen one in words. */
  words: string;
  chosen: TenantChoice | undefined;
  withCustomers: boolean;
  onPick: (choice: TenantChoice | undefined) => void;
  /** What choosing none is called; without it, one has to be chosen. */
  none?: string;
}) {
  const { chosen, none } = props;
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  const id = useId();
  const pick = (choice: TenantChoice | undefined) => {
    props.onPick(choice);
    close();
    document.getElementById(`${id}-button`)?.focus();
  };
  return (
    <PopoverHolder label={props.label} open={open} close={close} class="tenant-pick">
      <button
        type="button"
        id={`${id}-button`}
        class={`control pick-button${chosen === undefined ? "" : " marked"}`}
        aria-expanded={open}
        aria-haspopup="tree"
        onClick={() => setOpen(!open)}
      >
        <span class="pick-label">{props.label}</span> <span class="pick-words">{props.words}</span>
      </button>
      {open && (
        <div class="popover tree-popover">
          <LoadedTree {...props} id={`${id}-tree`} onPick={pick} />
          {none !== undefined && chosen !== undefined && (
            <button type="button" class="control" onClick={() => pick(undefined)}>
              {none}
            </button>
          )}
        </div>
      )}
    </PopoverHolder>
  );
}

function LoadedTree(props: {
  id: string;
  chosen: TenantChoice | undefined;
  withCustomers: boolean;
  onPick: (choice: TenantChoice) => void;
}) {
  const { data, failure, retry } = usePageData<TenantTreeJson>("tenants/tree");
  if (failure !== undefined) return <ErrorNotice failure={failure} retry={retry} />;
  return (
    <TenantTree
      id={props.id}
      nodes={data === undefined ? undefined : growTree(data, props.withCustomers)}
      chosen={props.chosen}
      onPick={props.onPick}
    />
  );
}
