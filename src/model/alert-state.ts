/** What can be said of an alert. Whatever was expected says so besides, and is shown all the same. */
export const alertStates = ["firing", "resolved", "flapping", "expected", "unknown"] as const;
export type AlertState = (typeof alertStates)[number];
