import type { FaultKind } from "./fault-kind.ts";
import {
  databaseRestart,
  halfOpen,
  lockHolder,
  networkCut,
  poolExhausted,
  slowLink,
} from "./kinds/database-faults.ts";
import { cutAtFrame, killAtFrame } from "./kinds/kill-at-frame.ts";
import { killAtStep } from "./kinds/kill-at-step.ts";
import { clockSkew, postStorm } from "./kinds/load-faults.ts";
import { diskFull, failoverAsync, failoverSync, standbyLag } from "./kinds/server-faults.ts";
import {
  absurdRetryAfter,
  brokenBodies,
  credentialExpiry,
  errorWithTwoHundred,
  poison,
  schemaDrift,
  serverErrors,
  slowDesk,
  tooManyRequests,
} from "./kinds/source-faults.ts";
import { crashLoop, killAtOpen, sigterm } from "./kinds/worker-faults.ts";
import { stopInTransaction, stopPastLease, twoWorkersOneLease } from "./kinds/zombie-faults.ts";

/** Every kind of fault, in the order in which a run tries them: the long ones first. */
export const faultKinds: readonly FaultKind[] = [
  killAtFrame,
  killAtStep,
  stopInTransaction,
  stopPastLease,
  cutAtFrame,
  killAtOpen,
  sigterm,
  crashLoop,
  twoWorkersOneLease,
  databaseRestart,
  failoverSync,
  failoverAsync,
  standbyLag,
  networkCut,
  halfOpen,
  slowLink,
  poolExhausted,
  lockHolder,
  diskFull,
  clockSkew,
  postStorm,
  tooManyRequests,
  absurdRetryAfter,
  serverErrors,
  errorWithTwoHundred,
  brokenBodies,
  slowDesk,
  credentialExpiry,
  schemaDrift,
  poison,
];
