import { eventKinds } from "../../model/event.ts";
import type { EventKind, Severity } from "../../model/event.ts";

/**
 * Words that tell what a row is, where no column says it. The lists are asked in this order and the first hit
 * decides, so that "the restarted broker is back to normal" is a recovery and "they decide to restart" a person's
 * act. English and French; a word stands for itself and its endings.
 */
const kindWords: readonly (readonly [EventKind, RegExp])[] = [
  [
    "recovery",
    listOf(
      "recover(ed|y|ies|ing)?|back (to normal|online|up|in production)|resolved|is ok|are ok|operational again|" +
        "healthy( again)?|restored|stabili[sz]ed|fully functional|up and running|works again|no longer (failing|affected)|" +
        "rétabli(e|s)?|résolu(e|s)?|retour à la normale",
    ),
  ],
  [
    "human",
    listOf(
      "investigat(e|es|ed|ing|ion)|decid(e|es|ed|ing)|notif(y|ies|ied)|inform(s|ed)?|escalat(e|es|ed|ing)|" +
        "page(s|d)? (the )?on-?call|call(s|ed)? (in|the)|meeting|declare(s|d)?|diagnos(e|es|ed|is|ing)|" +
        "acknowledge(s|d)?|suspect(s|ed)?|understand(s)?|understood|enquête|décide(nt)?|prévien(t|nent)",
    ),
  ],
  [
    "symptom",
    listOf(
      "down|crash(es|ed|ing)?|errors?|fail(s|ed|ing|ure|ures)?|unavailable|unreachable|outage|time-?outs?|timed out|" +
        "panic(s|ked)?|increase(s|d)? (of|in) (load|latency|errors)|overload(ed)?|saturat(ed|ion)|full|slow(s|ed|er)?|" +
        "degrad(ed|ation)|lost|loss|stuck|stalled|flapping|alert(s)?|cannot|can(no|')?t|unable|out of memory|oom|" +
        "backlog|dropped|corrupt(ed|ion)?|panne|erreurs?|indisponible(s)?|injoignable(s)?",
    ),
  ],
  [
    "change",
    listOf(
      "start(s|ed|ing)?|upgrad(e|es|ed|ing)|deploy(s|ed|ing|ment)?|disabl(e|es|ed|ing)|enabl(e|es|ed|ing)|" +
        "re-?start(s|ed|ing)?|reboot(s|ed|ing)?|switch(es|ed|ing)?|roll(s|ed|ing)? ?(back|out)|rollback|" +
        "stop(s|ped|ping)?|shut(s|ting)? ?down|appl(y|ies|ied)|install(s|ed|ing)?|migrat(e|es|ed|ing|ion)|" +
        "scal(e|es|ed|ing)|add(s|ed|ing)?|remov(e|es|ed|ing)|delet(e|es|ed|ing)|chang(e|es|ed|ing)|merg(e|es|ed)|" +
        "release(s|d)?|maintenance|drain(s|ed|ing)?|failover|mis à jour|mise à jour|redémarr(e|é|age)|déploi(e|ement)",
    ),
  ],
];

const severeWords = listOf(
  "outage|down|crash(es|ed|ing)?|panic(s|ked)?|unavailable|data loss|all customers|panne|total(ly)?|corrupt(ed|ion)?",
);

/** The kind that a row's own words suggest; `activity` where none of the lists knows one. */
export function inferKind(description: string): EventKind {
  return kindWords.find(([, words]) => words.test(description))?.[0] ?? "activity";
}

/** A symptom is a warning, or an error where its words are strong; everything else is information. */
export function inferSeverity(kind: EventKind, description: string): Severity {
  if (kind !== "symptom") return "info";
  return severeWords.test(description) ? "error" : "warning";
}

/** The kind that a cell names; undefined for a word that is none. */
export function readKindWord(text: string): EventKind | undefined {
  const word = text.trim().toLowerCase();
  return eventKinds.find((kind) => kind === word);
}

function listOf(words: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, "iu");
}
