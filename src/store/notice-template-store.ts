import type { Instant } from "../model/instant.ts";
import type { NoticeSituation, NoticeTemplateVersion } from "../model/notice.ts";

/** A decision about one text, with who made it. */
export interface NoticeTemplateRecord extends NoticeTemplateVersion {
  readonly by: string;
  readonly why: string;
  readonly decidedAt: Instant;
}

/** One decision more, carried out only where `record.version` is the next one. Throws `template-changed` else. */
export interface NoticeTemplateChange {
  readonly kind: "notice-template";
  readonly record: NoticeTemplateRecord;
}

/** What was decided about the texts of notices; they are changed by decisions only. The provider's alone. */
export interface NoticeTemplateStore {
  /** How many decisions there are: whoever holds texts under another number reads them again. */
  count(): Promise<number>;
  /** The latest decision about each text that was ever changed. */
  current(): Promise<readonly NoticeTemplateRecord[]>;
  /** All decisions about one text, latest first. */
  history(name: NoticeSituation): Promise<readonly NoticeTemplateRecord[]>;
}
