/** What a notice of a shared cause can be about; each has a text of its own, which the provider can edit. */
export const noticeSituations = [
  "host-failure",
  "recovery",
  "maintenance-begins",
  "maintenance-ends",
  "storage-trouble",
  "live-migration",
  "default",
] as const;
export type NoticeSituation = (typeof noticeSituations)[number];

/** One decision about a situation's text; null is the shipped text again. Versions count from 1. */
export interface NoticeTemplateVersion {
  readonly name: NoticeSituation;
  readonly version: number;
  readonly text: string | null;
}
