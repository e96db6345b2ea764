import type { Json } from "./json.ts";

/** What became of one field of an event in one tenant's edition of it. Full of what others must not see: the provider's alone. */
export interface Disclosure {
  /** The field's place in the event: `details.payload.host`, `related.0.name`. */
  readonly field: string;
  /** The class of field that decided it. */
  readonly class: string;
  readonly outcome: "shown" | "replaced" | "withheld";
  /** What the event says; a thing is `role kind/id` or `kind/id`. */
  readonly value: Json;
  /** What the edition says in its place, where it is replaced. */
  readonly shown?: Json;
}

/** A class of field and what becomes of it, in words for the provider. */
export interface DisclosureClass {
  readonly name: string;
  readonly policy: Disclosure["outcome"];
  readonly means: string;
}
