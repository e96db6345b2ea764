import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import type { NoticeTemplateRecord } from "../../store/notice-template-store.ts";
import type { ApiContext } from "./api-context.ts";
import type { NoticeTemplate, NoticeTemplates } from "./api-parts.ts";
import { notFound } from "./problem.ts";
import { checkCsrf, readingScope, type Principal } from "./sign-in.ts";
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
    app.get(
      "/notice-templates",
      {
        schema: {
          summary: "The texts of notices (providers)",
          querystring: noQuery,
          response: { 200: noticeTemplatesSchema },
        },
      },
      async (request) => {
        const { desk } = providersDesk(request, notices);
        return {
          templates: (await desk.list()).map(toTemplateJson),
          placeholders: [...desk.placeholders],
          chars_max: desk.charsMax,
        };
      },
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
        const { desk } = providersDesk(request, notices);
        const found = await desk.find(request.params.name);
        if (found === undefined) throw notFound();
        return { ...toTemplateJson(found.template), history: found.history.map(toVersionJson) };
      },
    );

    app.post(
      "/notice-templates/preview",
      {
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
        const { desk } = decidersDesk(request, notices);
        const { problems, samples } = desk.preview(request.body.text);
        return { problems: [...problems], samples: [...samples] };
      },
    );
    await app.register(editRoutes(notices));
  };
}

function editRoutes(notices: NoticeTemplates | undefined): FastifyPluginAsyncZod {
  return async (app) => {
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
        const { desk, principal } = decidersDesk(request, notices);
        const { text, expected_version: expectedVersion, why } = request.body;
        const edit = { text, expectedVersion, by: principal.id, why };
        return toTemplateJson((await desk.edit(request.params.name, edit)) ?? missing());
      },
    );

    app.delete(
      "/notice-templates/:name",
      {
        schema: {
          summary: "Go back to the shipped text, for notices made from then on (providers)",
          description,
          params: templateParams,
          querystring: resetTemplateSchema,
          response: { 200: noticeTemplateSchema },
        },
      },
      async (request) => {
        const { desk, principal } = decidersDesk(request, notices);
        const { expected_version: expectedVersion, why } = request.query;
        const edit = { text: null, expectedVersion, by: principal.id, why };
        return toTemplateJson((await desk.edit(request.params.name, edit)) ?? missing());
      },
    );
  };
}

/** Throws the one 404 for everybody but a provider who looks as itself. */
function providersDesk(
  request: FastifyRequest,
  desk: NoticeTemplates | undefined,
): { readonly desk: NoticeTemplates; readonly principal: Principal } {
  const { principal, scope } = readingScope(request);
  if (scope.kind !== "provider" || desk === undefined) throw notFound();
  return { desk, principal };
}

/** The same for what changes something. Only a cookie is sent by a browser without its page's doing. */
function decidersDesk(request: FastifyRequest, notices: NoticeTemplates | undefined) {
  const found = providersDesk(request, notices);
  if (found.principal.session !== undefined) checkCsrf(request);
  return found;
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
