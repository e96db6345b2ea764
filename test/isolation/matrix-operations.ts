import { incidentOperations } from "./incident-operations.ts";
import type { Operation } from "./matrix-operation.ts";
import { notificationOperations } from "./notification-operations.ts";
import { operationOperations } from "./operation-operations.ts";
import { readingOperations } from "./reading-operations.ts";
import { tenancyOperations } from "./tenancy-operations.ts";
import {
  alertOperations,
  auditOperations,
  retentionOperations,
  verdictOperations,
  workbenchOperations,
} from "./workbench-operations.ts";

/** Each operation of the API's document has at least one row here; a test holds the table to it. */
export const operations: readonly Operation[] = [
  ...readingOperations,
  ...operationOperations,
  ...tenancyOperations,
  ...notificationOperations,
  ...workbenchOperations,
  ...alertOperations,
  ...verdictOperations,
  ...incidentOperations,
  ...auditOperations,
  ...retentionOperations,
];
