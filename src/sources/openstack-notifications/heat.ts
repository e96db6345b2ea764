import type { OsloMessage } from "./envelope.ts";
import { text } from "./fields.ts";
import type { Reading } from "./reading.ts";
import { readOwnerPath } from "./owner-path.ts";
import { kindOf, namedFacts, ownedFacts, ref, severityOf, splitPhase, summarise } from "./reading.ts";

/** Heat's stacks and autoscaling groups. `user_id` is a user NAME, `user_identity` the id. */
export function readHeat(message: OsloMessage): Reading | undefined {
  const match = /^orchestration\.(stack|autoscaling)\.(.+)$/.exec(message.eventType);
  const id = text(message.payload, "stack_identity");
  if (match === null || id === undefined) return undefined;
  const { stem, phase } = splitPhase(match[2]!);
  // The identity is a bare id, or an ARN-like path that ends in `stack name/id`.
  const stack = ref("stack", id.split("/").pop()!);
  const name = text(message.payload, "stack_name");
  const stated = readOwnerPath(message);
  const severity = severityOf(message, phase);
  const why = phase === "error" ? text(message.payload, "state_reason") : undefined;
  const userId = text(message.payload, "user_identity");
  return {
    type: message.eventType,
    kind: kindOf(severity, phase),
    category: "provisioning",
    ...(phase === undefined ? {} : { phase }),
    severity,
    subject: stack,
    ...(name === undefined ? {} : { subjectName: name }),
    ...(stated === undefined ? {} : { stated }),
    ...(userId === undefined ? {} : { actor: { userId } }),
    summary: `${summarise("stack", name, match[1] === "stack" ? stem : `autoscaling ${stem}`, phase)}${why === undefined ? "" : `: ${why}`}`,
    facts: [...ownedFacts(stack, stated), ...namedFacts(stack, name)],
    ...(stem === "delete" && phase === "end" ? { removedFrom: "orchestration" } : {}),
  };
}
