import type { Correlatable } from "./correlatable.ts";

/**
 * How two records of written accounts are related by their words. For use where no topology is known: what people write
 * of a component names the other ones that it harmed.
 */
export interface WordLink {
  /** In (0, 1], to be read like a topology path's strength. */
  readonly strength: number;
  readonly says: string;
}

/** One names the other's component. */
const namedStrength = 0.8;
/** They speak of the same things. */
const sharedStrength = 0.5;
/** They stand in one account, which its author found worth telling together. */
const accountStrength = 0.2;

/** What a record is about and speaks of, ready to be compared. */
export interface AccountWords {
  /** Which document it stands in, empty for none; records of different ones are not compared. */
  readonly account: string;
  /** The component's name as a phrase of stems. */
  readonly name: string;
  /** All stems in order, between spaces. */
  readonly phrase: string;
  /** Stems that may name a thing. */
  readonly terms: ReadonlySet<string>;
  /** Whether it says that something known goes on, so that what seemed to end has not. */
  readonly goesOn: boolean;
}

const goingOn =
  /(?<!\p{L})(still|again|continu(e|es|ed|ing)|remain(s|ed|ing)?|persist(s|ed|ing)?|keeps? \p{L}+ing|encore|toujours)(?!\p{L})/iu;

/** The words of a record of a written account, which is about a component; undefined of any other event. */
export function readAccount(event: Correlatable): AccountWords | undefined {
  if (event.subject.kind !== "component") return undefined;
  const stems = stemsOf(event.summary);
  const document = event.details["document"];
  return {
    account: typeof document === "string" ? document : "",
    name: stemsOf(event.subjectName ?? event.subject.id).join(" "),
    phrase: ` ${stems.join(" ")} `,
    terms: new Set(stems.filter((stem) => stem.length >= 4 && !commonStems.has(stem))),
    goesOn: goingOn.test(event.summary),
  };
}

/** How the words of two records relate them; undefined where they stand in different accounts. */
export function linkByWords(one: AccountWords, other: AccountWords): WordLink | undefined {
  if (one.account !== other.account) return undefined;
  if (one.name !== "" && one.name === other.name) return { strength: 1, says: "same component" };
  if (names(one, other) || names(other, one)) return { strength: namedStrength, says: "one names the other" };
  const shared = [...one.terms].filter((term) => other.terms.has(term)).toSorted();
  if (shared.length > 0) {
    return { strength: sharedStrength, says: `both speak of ${shared.slice(0, 2).join(" and ")}` };
  }
  return one.account === "" ? undefined : { strength: accountStrength, says: "told in the same account" };
}

function names(one: AccountWords, other: AccountWords): boolean {
  return other.name.length >= 3 && one.phrase.includes(` ${other.name} `);
}

function stemsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stemOf);
}

/** Enough for a plural to meet its singular; no dictionary. */
function stemOf(word: string): string {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

/**
 * What any account of any outage says, in English and French: sharing it relates nothing. Written for this list and not
 * counted from the records at hand, so that a record more or less never changes what the others share.
 */
const commonStems: ReadonlySet<string> = new Set(
  stemsOf(`
    about above across action after again alert almost already also although among another anymore around because become
    been before begin being below between both brought call cannot carry cause caused check close come component confirm
    connection consider continue could customer data degraded delay deploy deployed detect different disable disabled does done down
    drop during each early effect enable enabled encounter engineer engineering engineers enough error even event every
    experience fail failed failing failure find first fixed following found free from full fully further gone good group
    have having heavily high higher however identify impact impacted incident increase increased information inside instance instead into
    investigate issue itself just keep know known large last late later leave less level like likely little load long longer look
    lost lots made main make manually many mean message minute monitor monitoring more most mostly move much multiple need never
    newly next nominal normal noticed only operation operator other over part perform period place platform point possible previous
    problem process production provide raise rate reach reached reason receive recover recovered recovering recovery region related
    remain remaining remove removed report request required resolve resolved respond response restart restarted restore restored result return
    roll rolled rolling running same second seem seen send server service several should show shut since slow small some soon
    start started starting state status step still stop stopped such support switch system take taken team than that their them then
    there these they thing think this those through time took total toward traffic trigger troubleshoot trouble unable unavailable under understand
    unit until update upgrade user usual version very wait want well went were what when where which while will with within without
    work working would write
    alors après aucun avant avec cette cela chaque client comme depuis dans début entre équipe erreur fait incident leur mais même
    nous panne pendant plus pour problème redémarrage sans service sont sous suite tous tout toute très vers
  `),
);
