import type { IncidentChange } from "../model/incident.ts";
import { checkIncident } from "./incident-checks.ts";
import type { DossierMaterial, DossierPin, IncidentDossier } from "./incident-dossier.ts";
import { collectIdentifiers } from "./incident-leak.ts";
import { timesOfThings } from "./incident-times.ts";

/** Everything that is known of an incident at one moment, for the provider. The same material gives the same dossier. */
export function assembleDossier(material: DossierMaterial): IncidentDossier {
  const things = timesOfThings(material);
  const known = collectIdentifiers(material);
  return {
    incident: material.incident,
    pins: material.incident.pins.map((pin) => pinOf(pin, material)),
    things,
    checks: checkIncident(material, things, known),
    ...known,
  };
}

function pinOf(pin: DossierMaterial["incident"]["pins"][number], { pins }: DossierMaterial): DossierPin {
  const seen = pins.get(pin.event);
  if (seen === undefined) return { ...pin, state: "gone" };
  return seen === "withheld" ? { ...pin, state: "withheld" } : { ...pin, state: "visible", seen };
}

/** Whether anything stands in the way of publishing. */
export function blocksPublishing({ checks }: IncidentDossier): boolean {
  return checks.some(({ severity }) => severity === "blocks");
}

/**
 * The entries that publication must append: the inferred times as they stand. What stood is then told as it was, whatever
 * arrives later.
 */
export function freezeTimes({ things }: IncidentDossier): readonly IncidentChange[] {
  return things.flatMap(({ standing }) =>
    standing.flatMap((mark): IncidentChange[] =>
      mark.provenance.kind === "inferred" ? [{ kind: "time", mark }] : [],
    ),
  );
}
