import { Link } from "./link.tsx";

/** The two sides of the quarantine: what waits, and what was ruled. */
export function QuarantineTabs({ at }: { at: "waiting" | "rulings" }) {
  return (
    <nav class="tabs" aria-label="Quarantine">
      <Link href="/quarantine" current={at === "waiting"}>
        Waiting
      </Link>
      <Link href="/quarantine/rulings" current={at === "rulings"}>
        Rulings
      </Link>
    </nav>
  );
}
