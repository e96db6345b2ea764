import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A button with something that opens under it; closes on Escape, and when the focus or the pointer goes elsewhere. */
export function PopoverHolder(props: {
  label: string;
  open: boolean;
  close: () => void;
  class?: string;
  children: ComponentChildren;
}) {
  const { open, close } = props;
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const leave = (event: Event) => {
      if (event.target instanceof Node && holder.current?.contains(event.target) === false) close();
    };
    addEventListener("pointerdown", leave);
    addEventListener("focusin", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("focusin", leave);
    };
  }, [open, close]);
  return (
    <div
      class={`popover-holder ${props.class ?? ""}`}
      role="group"
      aria-label={props.label}
      ref={holder}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.preventDefault();
        close();
        holder.current?.querySelector("button")?.focus();
      }}
    >
      {props.children}
    </div>
  );
}
