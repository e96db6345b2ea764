import { eventKinds } from "../../model/event.ts";
import type { EventKind, Severity } from "../../model/event.ts";

/**
 * Tells what a row is by its words, where no column says it; English and French. A purpose or a reason is not what
 * happened ("stopped to avoid errors" is a change), so such clauses are left out first. Then, in this order: what cannot
 * be done any more, or has recovered, whichever is said last; an act that somebody did or that was done to something;
 * what people thought or said; what ails; and whatever else sounds like a change. A word stands for itself and its endings.
 */
const lostAbility = listOf(
  "can(no|')?t|can not|cannot|could(n't| not)|can no longer|no longer (?!fail|affect|impact|need|necess|requir)\\p{L}+|" +
    "unable to|fail(s|ed|ing)? to|refuse(s|d)? to|declared (broken|down|failed|dead|lost)|neither [^.;]* nor|ceased|nothing (is|was|gets|goes|can)( \\p{L}+)?|(does|do|did|has|have|will|would)(n't| not|n’t) (?!affect|impact|seem|show|see)\\p{L}+|no proper|(is|are|was|were|be|still|not|became|become|becomes) " +
    "(not )?(unavailable|unreachable|unresponsive|inaccessible)|not (be )?(reachable|responsive|responding|available|working|accessible)|" +
    "(do|does|did)(n't| not|n’t) (respond|answer|work|start|come|boot)|no (writes?|reads?|traffic|answers?|responses?|connections?)( \\p{L}+)? (any ?more|any longer|at all)|" +
    "ne (répond|fonctionne|démarre)(ent)? (pas|plus)|ne peu(t|vent) (pas|plus)",
  "giu",
);

const recovered = listOf(
  "recover(ed|y|ies|ing|s)?|(is|are|was|were|comes?|came|now) back( (to|on|online|up|in)\\b.*)?|back (to normal|online|up|in (production|service))|" +
    "resolved|mitigated|fixed|all clear|incident (is )?(over|closed|ends|ended)|(is|are|now|again|all|\\p{L}+) (ok|okay)(?=\\s*([.,;—–!)-]|$))|(is|are) ok|" +
    "operational again|(is|are|again|now|fully) operational|healthy( again)?|restored|stabili[sz](ed|es)|fully functional|up and running|works? again|working again|" +
    "(is|are) ready( to)?|no longer (failing|affected|impacted)|returns? to normal|returned to normal|(at|to) (a )?(normal|nominal)( \\p{L}+)?|as usual|(is|are|was|were|all \\p{L}+|back) (now )?(normal|nominal|fine|stable|good|well)( again)?|(normal|nominal|stable|fine) again|(resolve|respond|answer|connect|load|run|work|succeed|flow|pass|serve)s? (\\p{L}+ )?again|back to (the )?baseline|" +
    "rétabli(e|s|es)?|résolu(e|s|es)?|retour à la normale|de nouveau (disponible|opérationnel)\\p{L}*",
  "giu",
);

/** An act in the active voice needs somebody before it, or stands first like a heading. */
const acts =
  "re-?start|re-?boot|re-?load|stop|disable|enable|deploy|upgrade|update|install|migrate|remove|delete|clear|clean|add|apply|switch|roll|drain|" +
  "shut|scale|merge|release|revert|replace|resize|change|push|create|promote|increase|decrease|reduce|raise|lower|limit|throttle|block|allow|isolate|turn|set|put|bring|take|move|start|begin|" +
  "launch|activate|deactivate|configure|rotate|renew|patch|open|close|flush|purge|kill|terminate|trigger|deliver|redirect|reroute|detach|attach|failover|fail over|evacuate|rebuild|restore";
const actsAgain = acts
  .split("|")
  .map((word) => (word.endsWith("e") ? `${word}[sd]?` : `${word}(s|es|ed|ped|ged|ned)?`))
  .join("|");
const doneTo =
  "re-?started|re-?enabled|switched off|switched on|lifted|allowed|marked|emptied|thrown away|executed|wiped|begun|downgraded|paused|resumed|locked|unlocked|re-?enabled|undone|merged|re-?booted|re-?loaded|stopped|disabled|enabled|deployed|redeployed|upgraded|updated|installed|migrated|removed|deleted|destroyed|cleared|cleaned|added|applied|" +
  "switched|rolled|drained|shut|scaled|merged|released|reverted|replaced|resized|changed|pushed|created|promoted|reduced|raised|lowered|throttled|isolated|turned|set|put|moved|" +
  "started|launched|activated|deactivated|configured|rotated|renewed|patched|opened|closed|flushed|purged|terminated|delivered|redirected|rerouted|detached|attached|evacuated|" +
  "rebuilt|performed|flagged|parked|scheduled|reverted|increased|introduced|carried out|put in(to)?|taken (out|down|offline)|brought (up|back|online)";

const done = new RegExp(
  [
    // "we restart", "the team deployed", "they're rolling back"; what follows "to" or "cannot" is no act yet.
    `(?<![\\p{L}])(we|they|i|he|she|\\p{L}*team|\\p{L}*engineers?|operators?|admin(istrator)?s?|sre|sres|on-?call|staff|somebody|someone|developers?|automation)('re| are| is| have| has|'ve)?( now| then| also| just| begin| began| start| started)?( to)? (${actsAgain})(?![\\p{L}])`,
    `(?<![\\p{L}])(we|they|team|engineers?)('re| are| is) (now )?(${gerunds(acts)})`,
    // "is being restarted", "has been removed", "were rolling restarted".
    `(?<![\\p{L}])(is|are|was|were|(has|have|had) been|gets?|got)( now| then| also| being| all| progressively| gradually| manually| temporarily| rolling)* (${doneTo})(?![\\p{L}])`,
    // "Rolling restart of every node", "Begin the upgrade", "Deployment of version 5", "Cleanup of old hosts".
    `^\\W*((begin(s|ning)?|start(s|ing)?|launch(es|ing)?|end|completed?|finish(ed)?)( of)? )?(the |a |an )?(\\p{L}+ )?(rolling |planned |scheduled |progressive |routine |regular |emergency )?(restart|reboot|upgrade|update|deployment|deploy|rollout|roll-?out|rollback|roll-?back|migration|maintenance|clean-?up|failover|switch-?over|release|removal|rotation|resize|reconfiguration|shut-?down)( (of|to|for|in|starts?|started|begins?|began|replaces?|removes?|moves?|takes?|switches)(?![\\p{L}])|\\W*$)`,
    `(?<![\\p{L}])(starts?|started|begins?|began) (a |an |the )?(\\p{L}+ ){0,3}(upgrade|maintenance|rollout|roll-?out|deployment|migration|rollback|restart)`,
    // A heading's imperative: "Restart all agents".
    `^\\W*(${acts})(ed|d)? (the|all|every|a|an|some|both|each|of)(?![\\p{L}])`,
    "(?<![\\p{L}])(a été|ont été|est|sont) (redémarré|arrêté|désactivé|activé|déployé|mis|migré|supprimé|ajouté)(e|s|es)?(?![\\p{L}])",
  ].join("|"),
  "iu",
);

const kindWords: readonly (readonly [EventKind, RegExp])[] = [
  ["change", done],
  [
    "human",
    listOf(
      "investigat(e|es|ed|ing|ion)|decid(e|es|ed|ing)|notif(y|ies|ied)|inform(s|ed)?|escalat(e|es|ed|ing)|" +
        "page(s|d)? (the )?on-?call|on-?call (is |was )?paged|call(s|ed)? (in|the)|meeting|declare(s|d)?|diagnos(e|es|ed|is|ing)|" +
        "acknowledge(s|d)?|suspect(s|ed)?|understand(s)?|understood|identif(y|ies|ied)|notice(s|d)?|think(s)?|estimate(s|d)?|" +
        "look(s|ed|ing)? (for|into)|found (out )?to|(reason|cause|culprit) is (found|known)|suspicion|(is|are) (being )?(checked|collected|compared|examined|believed|expected|tracked down)|search(es|ed|ing)? for|gather(s|ed|ing)?|verif(y|ies|ied)|(we|they) (check|ensure|believe|discuss)(ed|s)?|" +
        "enquête|décide(nt)?|prévien(t|nent)|cherche(nt)?",
    ),
  ],
  [
    "symptom",
    listOf(
      "down|crash(es|ed|ing)?|errors?|fail(s|ed|ing|ure|ures)?(?![ -]?over)|unavailable|unavailability|unreachable|unresponsive|outage|time-?outs?|tim(e|es|ed|ing) out|complain(s|t|ts)?|pil(e|es|ed|ing) up|disconnect(s|ed|ing)?|delay(s|ed)?|repeatedly|servfail|nxdomain|den(y|ies|ied)|blank|wrong|behind|grow(s|ing)?|drops?(?! (the|a|an) )|(at|to|above|over|by) \\d+ ?(%|percent|per cent)|stale|flap(s|ped)?|unexpected(ly)?|spontaneous(ly)?|evict(s|ed)?|" +
        "panic(s|ked)?|(increase(s|d)?|spike(s|d)?|rise(s)?|drop(s)?) (of|in) \\p{L}+|(increase|increases|increased|rises|rose|climbs|spikes) (drastically|sharply|heavily|suddenly)|" +
        "(drastically|sharply|suddenly) (increase|increases|increased|rise|rises|rose)|(very |too |abnormally )?high (\\p{L}+ )?(cpu|load|latency|latencies|memory|error|usage|rates?)|" +
        "too (many|much|slow|long)|overload(ed)?|saturat(ed|ion)|full|slow(s|ed|er|ly|ing|ness)?|latenc(y|ies)|" +
        "degrad(ed|ation|es)|lost|loss|losing|stuck|stalled|stands? still|hung|hangs|(leap|jump|soar|surge|climb|shoot|rise|rocket)(s|ed)?( up)?|soaring|rising|overworked|holds? up|come(s)? and go(es)?|too (little|few)|very long|to the limit|burn(s|ing)?|waiting|flapping|alert(s)?|unable|out of memory|oom|killed|kills|" +
        "backlog(s)?|dropped|corrupt(ed|ion)?|impact(s|ed|ing)?|affect(s|ed|ing)?|issue(s)?|problem(s)?|trouble(s)?|difficult(y|ies)|defective|broken|faulty|" +
        "unsynced|out of sync|missing|exhaust(ed|ion)|exceed(s|ed)?|reject(s|ed)?|refus(es|ed)|conflict(s)?|5\\d\\d(s)?|split-?brain|incident|" +
        "panne|erreurs?|indisponible(s)?|injoignable(s)?|lent(e|s|es|eurs?)?|perte",
    ),
  ],
  [
    // What works anew, where nothing said that it fails anew.
    "recovery",
    listOf(
      "again|once more|any longer|(in|back in) service|in good health|(works?|runs?|answers?) (properly|normally|correctly|fine|well)|de nouveau",
    ),
  ],
  [
    "change",
    listOf(
      "start(s|ed|ing)?|upgrad(e|es|ed|ing)|deploy(s|ed|ing|ment)?|disabl(e|es|ed|ing)|enabl(e|es|ed|ing)|" +
        "re-?start(s|ed|ing)?|reboot(s|ed|ing)?|switch(es|ed|ing)?|roll(s|ed|ing)? ?(back|out)|rollback|" +
        "stop(s|ped|ping)?|shut(s|ting)? ?down|appl(y|ies|ied)|install(s|ed|ing)?|migrat(e|es|ed|ing|ion)|" +
        "scal(e|es|ed|ing)|add(s|ed|ing)?|remov(e|es|ed|ing)|delet(e|es|ed|ing)|chang(e|es|ed|ing)|merg(e|es|ed)|" +
        "release(s|d)?|push(es|ed)?|rotat(e|es|ed|ion)|updat(e|es|ed|ing)|turn(s|ed)? (on|off)|downgrad(e|es|ed|ing)|paus(e|es|ed|ing)|resum(e|es|ed|ing)|replac(e|es|ed|ing|ement)|drop(s|ped) (the|a|an)|fail(s|ed|ing)?[ -]over|introduc(e|es|ed)|reconfigur(e|es|ed)|promot(e|es|ed)|goes live|went live|maintenance|drain(s|ed|ing)?|failover|mis à jour|mise à jour|redémarr(e|é|age)|déploi(e|ement)|déployé(e|s|es)?|modifi(e|é|ée|ées|cation)",
    ),
  ],
];

/** Why something was done, or what it happened to be like: never what happened. */
const asides =
  /(?<!\p{L})((in order )?to (avoid|prevent|preserve|protect|relieve|reduce|free|help|accelerate|speed up|overcome|mitigate|spare|limit|ease|have|verify|ensure|drop|restore|recover|stop|investigate)|so (that|as)|because|since|as (it|they|we|there|the)|due to|caused by|following|in response to|which|that (were|was|are|is|have|had)|afin d|pour (éviter|limiter)|parce qu|à cause d|suite à)(?!\p{L})[^.;]*/giu;

const severeWords = listOf(
  "outage|down|crash(es|ed|ing)?|panic(s|ked)?|unavailable|data loss|all customers|panne|total(ly)?|corrupt(ed|ion)?",
);

/** Of a row that is a page long, the beginning says what happened. */
const wordsMax = 2000;

/** The kind that a row's own words suggest; `activity` where none of the lists knows one. */
export function inferKind(description: string): EventKind {
  const told = description.slice(0, wordsMax);
  const happened = told.replaceAll(asides, " ");
  const lostAt = lastMatch(happened, lostAbility);
  const recoveredAt = lastMatch(happened, recovered);
  if (lostAt >= 0 || recoveredAt >= 0) return lostAt > recoveredAt ? "symptom" : "recovery";
  const sure = kindWords.find(([, words]) => words.test(happened))?.[0];
  // A reason alone still says that something ails.
  return sure ?? (kindWords[2]![1].test(told) ? "symptom" : "activity");
}

function lastMatch(text: string, words: RegExp): number {
  return [...text.matchAll(words)].at(-1)?.index ?? -1;
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

/** `restart` as `restarting`, `stop` as `stopping`. */
function gerunds(verbs: string): string {
  return verbs
    .split("|")
    .map((verb) => `${verb.endsWith("e") ? verb.slice(0, -1) : verb}(p|t|n)?ing`)
    .join("|");
}

function listOf(words: string, flags = "iu"): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, flags);
}
