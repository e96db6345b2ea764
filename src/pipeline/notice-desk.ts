import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import { noticeSituations, type NoticeSituation } from "../model/notice.ts";
import { situationMeanings } from "../normalise/notice-situation.ts";
import {
  findTemplateProblems,
  placeholders,
  shippedTexts,
  templateCharsMax,
  type TemplateProblem,
} from "../normalise/notice-template.ts";
import { sampleNotices } from "../normalise/notice.ts";
import type { NoticeTemplateRecord, NoticeTemplateStore } from "../store/notice-template-store.ts";
import { decide, type DecisionStages } from "./decisions.ts";
import type { NoticeTexts } from "./notice-texts.ts";

/** One text as it stands. */
export interface NoticeTemplate {
  readonly name: NoticeSituation;
  readonly situation: string;
  readonly text: string;
  readonly shippedText: string;
  /** How many decisions there were. */
  readonly version: number;
  readonly latest?: NoticeTemplateRecord;
  readonly sample: string;
}

export interface TemplateEdit {
  /** Null for the shipped text. */
  readonly text: string | null;
  readonly expectedVersion: number;
  readonly by: string;
  readonly why: string;
}

export interface NoticeDeskParts extends DecisionStages {
  readonly templates: NoticeTemplateStore;
  readonly texts: NoticeTexts;
  readonly now: () => Instant;
}

/** Where the provider's people read and edit what tenants are told of shared causes. */
export class NoticeDesk {
  readonly placeholders = Object.entries(placeholders).map(([name, meaning]) => ({ name, meaning }));
  readonly charsMax = templateCharsMax;
  readonly #parts: NoticeDeskParts;

  constructor(parts: NoticeDeskParts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly NoticeTemplate[]> {
    const latest = new Map((await this.#parts.templates.current()).map((record) => [record.name, record]));
    return noticeSituations.map((name) => toTemplate(name, latest.get(name)));
  }

  /** One text with all decisions about it, latest first; undefined for a name that no situation has. */
  async find(
    name: string,
  ): Promise<
    { readonly template: NoticeTemplate; readonly history: readonly NoticeTemplateRecord[] } | undefined
  > {
    const situation = noticeSituations.find((one) => one === name);
    if (situation === undefined) return undefined;
    const history = await this.#parts.templates.history(situation);
    return { template: toTemplate(situation, history[0]), history };
  }

  /**
   * Changes a text, or goes back to the shipped one, for notices made from then on; where that is in force already,
   * nothing is decided. Undefined for a name that no situation has. Throws `template-invalid`, and `template-changed` where somebody else was first.
   */
  async edit(
    name: string,
    { text, expectedVersion, by, why }: TemplateEdit,
  ): Promise<NoticeTemplate | undefined> {
    const found = await this.find(name);
    if (found === undefined) return undefined;
    const problems = text === null ? [] : findTemplateProblems(text);
    if (problems.length > 0) throw templateInvalid(problems);
    const { template } = found;
    // Of an older version the store says that somebody else was first.
    if (text === null && template.text === template.shippedText && expectedVersion === template.version)
      return template;
    const decidedAt = this.#parts.now();
    const record = { name: template.name, version: expectedVersion + 1, text, by, why, decidedAt };
    await decide(
      this.#parts,
      { kind: "notice-template", record },
      {
        key: `notice-template/${template.name}/${record.version}`,
        type: text === null ? "isochron.template.reset" : "isochron.template.changed",
        subject: { kind: "notice_template", id: template.name },
        summary: `Notice text for ${template.name}: ${text === null ? "back to the shipped one" : "changed"}`,
        by,
        why,
        at: decidedAt,
        details: { version: record.version, before: template.text, after: text ?? template.shippedText },
      },
    );
    this.#parts.texts.expire();
    return toTemplate(template.name, record);
  }

  /** What the text would look like, or all that is wrong with it. */
  preview(text: string): {
    readonly problems: readonly TemplateProblem[];
    readonly samples: readonly string[];
  } {
    const problems = findTemplateProblems(text);
    return { problems, samples: problems.length > 0 ? [] : sampleNotices(text) };
  }
}

function toTemplate(name: NoticeSituation, latest: NoticeTemplateRecord | undefined): NoticeTemplate {
  const text = latest?.text ?? shippedTexts[name];
  return {
    name,
    situation: situationMeanings[name],
    text,
    shippedText: shippedTexts[name],
    version: latest?.version ?? 0,
    ...(latest === undefined ? {} : { latest }),
    sample: sampleNotices(text)[1] ?? "",
  };
}

function templateInvalid(problems: readonly TemplateProblem[]): IsochronError {
  return new IsochronError(
    "template-invalid",
    problems.map(({ says }) => says).join(" "),
    "Correct it; a preview shows what the text would look like.",
  );
}
