import { createAliaser } from "../src/normalise/notice-alias.ts";
import type { NoticeTools } from "../src/normalise/notice.ts";
import { shippedTexts } from "../src/normalise/notice-template.ts";
import { createRedactor } from "../src/normalise/redact.ts";

export const shippedTools: NoticeTools = {
  aliasOf: createAliaser(new Uint8Array(32).fill(7)),
  templateOf: (situation) => shippedTexts[situation],
};

/** The real redactor with the shipped texts and a key that every test has. */
export const redact = createRedactor(shippedTools);
