import type { Correlatable } from "./correlatable.ts";

/** What people and automation do when something is broken, in types and in sentences, English and French. */
const remedies =
  /(?<![\p{L}\p{N}])(work-?arounds?|counter-?measures?|mitigat\p{L}*|roll(s|ed|ing)?[ -]?backs?|revert\p{L}*|undo(ne)?|fail(ed|s|ing)?[ -]?over|evacuat\p{L}*|re-?start\p{L}*|re-?boot\p{L}*|re-?load\p{L}*|re-?build\p{L}*|re-?creat\p{L}*|re-?place[ds]?|restor\p{L}*|repair\p{L}*|hot-?fix\p{L}*|force[_ ]down|clean(ed|ing|s)?[ -]?up|drain\p{L}*|to (avoid|prevent|preserve|protect|relieve|reduce|free|help|spare|stop|limit|ease)|extra capacity|rétabli\p{L}*|redémarr\p{L}*|contourn\p{L}*|retour arrière)(?![\p{L}\p{N}])/iu;

/** Whether the change's type or words say that it was meant to help. */
export function soundsLikeRemedy(change: Correlatable): boolean {
  return remedies.test(change.summary) || remedies.test(change.type.replaceAll(/[._]/g, " "));
}

const blunders =
  /(?<!\p{L})(by (mistake|accident|error)|mistak\p{L}*|accidental\p{L}*|inadvertent\p{L}*|unintended\p{L}*|unintentional\p{L}*|human error|wrong\p{L}*|erroneous\p{L}*|forgot\p{L}*|par erreur|mauvaise?)(?!\p{L})/iu;

/** Whether it is told as a mistake, which no attempt to help is. */
export function soundsLikeBlunder(change: Correlatable): boolean {
  return blunders.test(change.summary);
}
