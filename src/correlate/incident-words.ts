import type { EventKind } from "../model/event.ts";

/** What a line that people wrote tells, as far as plain words of English and French go. */
export interface ToldWords {
  /** The last state that it asserts; absent where it asserts none. */
  readonly state?: "ill" | "mending" | "well";
  /** Somebody or something noticed. */
  readonly noticed: boolean;
  /** Somebody did something about it. */
  readonly acted: boolean;
}

const wellWords = listOf(
  "(?<!being )(recovered|repaired|resolved|restored|fixed)|stabili[sz]ed|healthy|operational|nominal|(is|are|was|were|now|all) ok|" +
    "ok(?=\\W*$)|back (to normal|online|up|in (production|service)|again)|up and running|fully functional|" +
    "(correctly|normally) working|work(s|ing) (again|normally|correctly|fine)|no longer (failing|affected|impacted)|" +
    "rétabli(e|s|es)?|résolu(e|s|es)?|retour à la normale",
);

const mendingWords = listOf(
  "recover(s|y|ing)|being (recovered|restored|fixed|repaired|brought (back|up))|converg(es?|ing|ence)",
);

const illWords = listOf(
  "issues?|problems?|trouble|difficult(y|ies)|errors?|fail(s|ed|ing|ure|ures)?|crash(es|ed|ing)?|(?<!shut(s|ting)? )down|outage|" +
    "unavailable|unreachable|unresponsive|defective|degrad(ed|ation)|overload(ed|ing)?|saturat(ed|ion)|stalled|stuck|" +
    "impact(s|ed|ing)?|panic(s|ked)?|flapping|time-?outs?|timed out|out of memory|oom|lost|loss|slow(s|ed|er|ing)?|" +
    "queue is full|backlogs?|corrupt(ed|ion)?|unable|cannot|can(?:not|['’]t)|no longer|" +
    "not (reachable|responding|responsive|available|working)|no (more )?(writes|reads|traffic|answer)|" +
    "(drastic(ally)?|sharp(ly)?|sudden(ly)?|abnormal(ly)?) (\\p{L}+ )?(increase|rise|drop|high)\\p{L}*|" +
    "(too|very|abnormally) (many|much|high|slow)|panne|erreurs?|indisponibles?|injoignables?|lents?",
);

/** A clause with one of these tells a guess or a hope. */
const unsureWords = listOf(
  "may|might|could|possibly|probably|perhaps|suspect(s|ed)?|think(s)?|thought|believe(s|d)?|seem(s|ed)?|" +
    "estimate(s|d)?|expect(s|ed)?|will|going to|in theory|to (avoid|prevent)|pourrait|devrait",
);

const noticedWords = listOf(
  "monitor(s|ed|ing)?|alert(s|ed|ing)?|alarms?|dashboards?|graphs?|probes?|notice(s|d)?|observe(s|d)?|detect(s|ed)?|" +
    "confirm(s|ed)?|identif(y|ies|ied)|discover(s|ed)?|report(s|ed)|complain(s|ed|ts)?|tickets?|paged?|on-?call|" +
    "constat(e|ent|é)|signal(e|ent|é)|alertes?|supervision",
);

const actedWords = listOf(
  "roll(s|ed|ing)? ?(it |them )?back|rollback|revert(s|ed|ing)?|re-?start(s|ed|ing)?|re-?boot(s|ed|ing)? (it|them|the)|" +
    "disabl(e|es|ed|ing)|enabl(e|es|ed|ing)|stop(s|ped|ping)?|shut(s|ting)? ?down|(been|being) shut|drain(s|ed|ing)?|" +
    "remov(e|es|ed|ing)|switch(es|ed|ing)?|evacuat(e|es|ed|ing)|fail(s|ed|ing)? ?over|isolat(e|es|ed|ing)|" +
    "block(s|ed|ing)? (the|all)|replac(e|es|ed|ing)|appl(y|ies|ied)|deploy(s|ed|ing)?|scal(e|es|ed|ing) (up|out|down)|" +
    "clear(s|ed|ing)? the|clean(s|ed|ing)? up|decid(e|es|ed|ing)|work-?around|mitigat(e|es|ed|ing|ion)|" +
    "redémarr(e|ent|é|és)|désactiv(e|ent|é)|décid(e|ent|é)",
);

/**
 * The last clause that asserts a state decides, so that "a node was overloaded; it works again" is well and "ok, but fails
 * to start" is ill. It knows words and no meaning: what it finds is a proposal that people can set right.
 */
export function readWords(text: string): ToldWords {
  const clauses = splitClauses(text);
  const state = clauses.reduce<ToldWords["state"]>((last, clause) => stateOf(clause) ?? last, undefined);
  return {
    ...(state !== undefined && { state }),
    noticed: noticedWords.test(text),
    // "They fail to restart" and "nobody can deploy" tell of no act.
    acted: clauses.some((clause) => actedWords.test(clause) && stateOf(clause) !== "ill"),
  };
}

/** The kind that a line's words suggest, where nothing else says it: an act that ends in trouble is told as trouble. */
export function kindOfWords(text: string): EventKind {
  const { state, acted, noticed } = readWords(text);
  if (state === "well") return "recovery";
  if (state === "ill") return "symptom";
  if (acted || /(?<!\p{L})(start(s|ed)?|upgrad(e|es|ed|ing)|maintenance|releases?d?)(?!\p{L})/iu.test(text))
    return "change";
  return noticed ? "human" : "activity";
}

function stateOf(clause: string): ToldWords["state"] {
  if (unsureWords.test(clause)) return undefined;
  if (wellWords.test(clause)) return "well";
  if (mendingWords.test(clause)) return "mending";
  return illWords.test(clause) ? "ill" : undefined;
}

/** A full stop inside `3.3.1` or `eth0.100` ends nothing. */
function splitClauses(text: string): readonly string[] {
  return text.split(/[;:!?]+|\.(?=\s|$)|,(?=\s)|\s[-–—]+\s?|(?<!\p{L})(?:but|then|mais)(?!\p{L})/iu);
}

/** Whether the text names it: its words in their order, without regard to case or an ending `s`. */
export function names(text: string, name: string): boolean {
  const wanted = wordsOf(name);
  if (wanted.length === 0 || wanted.join("").length < 3) return false;
  const said = wordsOf(text);
  return said.some((_, start) => wanted.every((word, index) => said[start + index] === word));
}

function wordsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) =>
    word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word,
  );
}

function listOf(words: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, "iu");
}
