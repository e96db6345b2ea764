import { instant, type Instant } from "../../model/instant.ts";
import type { DeliveryOutcome } from "../../store/notification-store.ts";
import { printable } from "../../normalise/printable.ts";
import { retryAfterMs } from "../protection/retry-delay.ts";
import type { PostAnswer } from "./message-post.ts";

/** After so long without success a message is given up: kept, counted, and sent again when somebody says so. */
export const givenUpAfterMs = 24 * 3_600_000;

const firstDelayMs = 5_000;
const delayMsMax = 3_600_000;
const excerptCharsMax = 160;

/** A message that was tried, as far as its next try depends on it. */
export interface TriedMessage {
  readonly attempts: number;
  readonly waitingSince: Instant;
}

/** What follows from an answer: success is any 2xx, 410 says that nobody is there any more, all else is tried again. */
export function planNext(
  message: TriedMessage,
  answer: PostAnswer,
  at: Instant,
  random: () => number,
): DeliveryOutcome {
  if (answer.kind === "resting") {
    const again = {
      kind: "again",
      nextAt: instant(at + Math.max(1, answer.retryInMs)),
      counts: false,
    } as const;
    // What only waits its turn is not the target's failure.
    return answer.because === "pace" ? again : orGiveUp(message, at, again);
  }
  const told = tellAnswer(answer);
  if (answer.kind === "answered") {
    if (answer.status >= 200 && answer.status < 300) return { kind: "sent", answer: told };
    if (answer.status === 410) return { kind: "dead", answer: told };
  }
  const asked = answer.kind === "answered" ? (retryAfterMs(answer.retryAfter, at) ?? 0) : 0;
  const nextAt = instant(at + Math.max(asked, delayMs(message.attempts, random)));
  return orGiveUp(message, at, { kind: "again", nextAt, counts: true, answer: told });
}

function orGiveUp(
  { waitingSince }: TriedMessage,
  at: Instant,
  again: Extract<DeliveryOutcome, { kind: "again" }>,
): DeliveryOutcome {
  if (at - waitingSince < givenUpAfterMs) return again;
  return { kind: "dead", ...(again.answer === undefined ? {} : { answer: again.answer }) };
}

/** From half of `min(1 h, 5 s · 2^made)` to all of it: never at once again, and never together with others. */
function delayMs(made: number, random: () => number): number {
  const most = Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(made, 20));
  return Math.round(most * (0.5 + 0.5 * random()));
}

function tellAnswer(answer: Exclude<PostAnswer, { kind: "resting" }>): string {
  if (answer.kind === "unanswered") return answer.problem;
  const excerpt = printable(answer.excerpt, excerptCharsMax);
  const redirect = answer.status >= 300 && answer.status < 400 ? " (redirects are not followed)" : "";
  return `The target answered ${answer.status}${redirect}${excerpt === "" ? "." : `: ${excerpt}`}`;
}
