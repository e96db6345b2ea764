import type { Instant } from "../model/instant.ts";
import { createAliaser } from "../normalise/notice-alias.ts";
import { createRedactor, type Redact } from "../normalise/redact.ts";
import type { NoticeTemplateStore } from "../store/notice-template-store.ts";
import type { DecisionStages } from "./decisions.ts";
import { NoticeDesk } from "./notice-desk.ts";
import { NoticeTexts } from "./notice-texts.ts";

/** What makes the editions that tenants read, and where the texts in them are edited. */
export interface Notices {
  readonly redact: Redact;
  readonly refreshTexts: () => Promise<void>;
  readonly desk: NoticeDesk;
}

/** Joins the redactor to the store's texts and to its key, both read by no tenant. */
export function createNotices(
  { noticeTemplates, aliasKey, decisions }: NoticeStores,
  clean: DecisionStages["clean"],
  now: () => Instant,
): Notices {
  const texts = new NoticeTexts(noticeTemplates, now);
  return {
    redact: createRedactor({ aliasOf: createAliaser(aliasKey), templateOf: texts.textOf }),
    refreshTexts: texts.refresh,
    desk: new NoticeDesk({ templates: noticeTemplates, texts, decisions, clean, now }),
  };
}

interface NoticeStores extends Pick<DecisionStages, "decisions"> {
  readonly noticeTemplates: NoticeTemplateStore;
  readonly aliasKey: Uint8Array;
}
