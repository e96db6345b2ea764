import type { ComponentChildren } from "preact";

/** A labelled native select: works with every keyboard, screen reader and phone. */
export function Pick(props: {
  label: string;
  value: string;
  onPick: (value: string) => void;
  children: ComponentChildren;
  marked?: boolean;
  title?: string;
}) {
  return (
    <label class={`pick${props.marked === true ? " marked" : ""}`} title={props.title}>
      <span class="pick-label">{props.label}</span>
      <select value={props.value} onChange={(event) => props.onPick(event.currentTarget.value)}>
        {props.children}
      </select>
    </label>
  );
}
