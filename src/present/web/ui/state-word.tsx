import { stateMeanings, type Connection } from "../state/source-words.ts";

/** One shape for each state, so that none is told by its colour alone. */
const paths: Readonly<Record<Connection["state"], string>> = {
  failing: "M2 2 10 10M10 2 2 10",
  silent: "M2 6h1.6M5.2 6h1.6M8.4 6H10",
  degraded: "M6 1.5 11 10.5H1zM6 5v2.4M6 9v.2",
  running: "M2 6.5 5 9.5 10.5 3",
  idle: "M2 6.5 5 9.5 10.5 3",
  finished: "M2.5 2.5h7v7h-7z",
  retired: "M2.5 2.5h7v7h-7zM2.5 6h7",
};

export function StateWord({ state }: { state: Connection["state"] }) {
  return (
    <span class={`state state-${state}`} title={stateMeanings[state]}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={paths[state]} />
      </svg>
      {state}
    </span>
  );
}
