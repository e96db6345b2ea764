import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import type { NoticeTemplateRecord } from "../../store/notice-template-store.ts";
import type { ApiContext } from "./api-context.ts";
import type { NoticeTemplate, NoticeTemplates } from "./api-parts.ts";
import { notFound } from "./problem.ts";
import { admitting, decider } from "./provider-only.ts";
import {
  changeTemplateSchema,
  noticeTemplateHistorySchema,
  noticeTemplateSchema,
  noticeTemplatesSchema,
  previewTemplateSchema,
  resetTemplateSchema,
  templatePreviewSchema,
  type NoticeTemplateJson,
} from "./tenancy-contract.ts";

const noQuery = z.strictObject({});
const templateParams = z.object({ name: z.string().regex(/^[a-z-]{1,50}$/) });
/** Every character of a text and of a reason can take twelve bytes in JSON. */
const bodyLimit = 16 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";

/** What tenants are told of shared causes: the provider's texts, read and edited. Nobody else learns that they exist. */
export function noticeTemplatesRoute({ notices }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    if (notices === undefined) return;
    app.addHook("onRequest", admitting("read-workbench"));
    app.get(
      "/notice-templates",
      {
        schema: {
          summary: "The texts of notices (providers)",
          querystring: noQuery,
          response: { 200: noticeTemplatesSchema },
        },
      },
      async () => ({
        templates: (await notices.list()).map(toTemplateJson),
        placeholders: [...notices.placeholders],
        chars_max: notices.charsMax,
      }),
    );

    app.get(
      "/notice-templates/:name",
      {
        schema: {
          summary: "One text with all that was decided about it (providers)",
          params: templateParams,
          querystring: noQuery,
          response: { 200: noticeTemplateHistorySchema },
        },
      },
      async (request) => {
        const found = await notices.find(request.params.name);
        if (found === undefined) throw notFound();
        return { ...toTemplateJson(found.template), history: found.history.map(toVersionJson) };
      },
    );

    app.post(
      "/notice-templates/preview",
      {
        onRequest: admitting("decide"),
        bodyLimit,
        schema: {
          summary: "What a text would look like; nothing is changed (providers)",
          description,
          querystring: noQuery,
          body: previewTemplateSchema,
          response: { 200: templatePreviewSchema },
        },
      },
      async (request) => {
        const { problems, samples } = notices.preview(request.body.text);
        return { problems: [...problems], samples: [...samples] };
      },
    );
    await app.register(editRoutes(notices));
  };
}

function editRoutes(notices: NoticeTemplates): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.put(
      "/notice-templates/:name",
      {
        bodyLimit,
        schema: {
          summary: "Change a text, for notices made from then on (providers)",
          description,
          params: templateParams,
          querystring: noQuery,
          body: changeTemplateSchema,
          response: { 200: noticeTemplateSchema },
        },
      },
      async (request) => {
        const { text, expected_version: expectedVersion, why } = request.body;
        const edit = { text, expectedVersion, by: decider(request), why };
        return toTemplateJson((await notices.edit(request.params.name, edit)) ?? missing());
      },
    );

    app.delete(
      "/notice-templates/:name",
      {
        schema: {
          summary: "Go back to the shipped text, for notices made from then on (providers)",
          description: `Where it is in force already, nothing is changed and the version stays. ${description}`,
          params: templateParams,
          querystring: resetTemplateSchema,
          response: { 200: noticeTemplateSchema },
        },
      },
      async (request) => {
        const { expected_version: expectedVersion, why } = request.query;
        const edit = { text: null, expectedVersion, by: decider(request), why };
        return toTemplateJson((await notices.edit(request.params.name, edit)) ?? missing());
      },
    );
  };
}

function missing(): never {
  throw notFound();
}

function toTemplateJson(template: NoticeTemplate): NoticeTemplateJson {
  const { latest } = template;
  return {
    name: template.name,
    situation: template.situation,
    text: template.text,
    shipped_text: template.shippedText,
    edited: template.text !== template.shippedText,
    version: template.version,
    changed:
      latest === undefined ? null : { at: formatInstant(latest.decidedAt), by: latest.by, why: latest.why },
    sample: template.sample,
  };
}

function toVersionJson({ version, text, decidedAt, by, why }: NoticeTemplateRecord) {
  return { version, text, at: formatInstant(decidedAt), by, why };
}
