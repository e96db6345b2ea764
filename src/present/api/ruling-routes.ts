import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "./api-context.ts";
import { notFound } from "./problem.ts";
import {
  dryRunRequestSchema,
  dryRunSchema,
  makeRulingSchema,
  reviseRulingSchema,
  rulingSchema,
  rulingsSchema,
  withdrawRulingSchema,
} from "./quarantine-contract.ts";
import { readAnswer, readMatch, toDryRunJson, toRulingJson } from "./ruling-json.ts";
import type { DryRun, Rulings } from "./ruling-parts.ts";
import { admitting, decider } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const rulingParams = z.object({ id: z.string().regex(/^rul_[a-z0-9]{1,40}$/) });
/** Every character of the texts can take twelve bytes in JSON. */
const bodyLimit = 32 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";

/** What operators rule about waiting events. To everybody else these addresses are as any that is not there. */
export function rulingRoutes({ rulings, directory }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    if (rulings === undefined) return;
    // Before anything of the request is looked at, so that no other refusal tells that there is something.
    app.addHook("onRequest", admitting("read-workbench"));
    app.post(
      "/quarantine/dry-run",
      {
        onRequest: admitting("decide"),
        bodyLimit,
        schema: {
          summary: "What a ruling would do; nothing is changed (providers)",
          description,
          querystring: noQuery,
          body: dryRunRequestSchema,
          response: { 200: dryRunSchema },
        },
      },
      async (request) => {
        const { body } = request;
        const { revises } = body;
        const asked = { match: readMatch(body.match), answer: readAnswer(body.answer) };
        const dry = await rulings.dryRun({ ...asked, ...(revises === undefined ? {} : { revises }) });
        return toDryRunJson({ ...dry, examples: shownTo(request, dry.examples) }, await directory.list());
      },
    );
    app.get(
      "/rulings",
      {
        schema: {
          summary: "What operators ruled, with all versions (providers)",
          querystring: noQuery,
          response: { 200: rulingsSchema },
        },
      },
      async () => {
        const { rulings: standing, truncated } = await rulings.list();
        const tenants = await directory.list();
        return { rulings: standing.map((ruling) => toRulingJson(ruling, tenants)), truncated };
      },
    );
    app.get(
      "/rulings/:id",
      {
        schema: {
          summary: "One ruling with all its versions (providers)",
          params: rulingParams,
          querystring: noQuery,
          response: { 200: rulingSchema },
        },
      },
      async ({ params }) =>
        toRulingJson((await rulings.find(params.id)) ?? missing(), await directory.list()),
    );
    await app.register(decisionRoutes(rulings, directory));
  };
}

function decisionRoutes(rulings: Rulings, directory: ApiContext["directory"]): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.post(
      "/rulings",
      {
        bodyLimit,
        schema: {
          summary: "Rule whose waiting events are, as a dry run told (providers)",
          description,
          querystring: noQuery,
          body: makeRulingSchema,
          response: { 201: rulingSchema },
        },
      },
      async (request, reply) => {
        const made = await rulings.make(orderOf(request, request.body));
        return reply.code(201).send(toRulingJson(made, await directory.list()));
      },
    );
    app.post(
      "/rulings/:id/versions",
      {
        bodyLimit,
        schema: {
          summary: "Rule otherwise, or again after a withdrawal (providers)",
          description,
          params: rulingParams,
          querystring: noQuery,
          body: reviseRulingSchema,
          response: { 201: rulingSchema },
        },
      },
      async (request, reply) => {
        const { expected_version: expectedVersion } = request.body;
        const order = { ...orderOf(request, request.body), expectedVersion };
        const revised = (await rulings.revise(request.params.id, order)) ?? missing();
        return reply.code(201).send(toRulingJson(revised, await directory.list()));
      },
    );
    app.post(
      "/rulings/:id/withdrawal",
      {
        bodyLimit,
        schema: {
          summary: "Take a ruling back: what rested on it waits again (providers)",
          description,
          params: rulingParams,
          querystring: noQuery,
          body: withdrawRulingSchema,
          response: { 201: rulingSchema },
        },
      },
      async (request, reply) => {
        const { why, expected_version: expectedVersion } = request.body;
        const order = { why, expectedVersion, by: decider(request) };
        const withdrawn = (await rulings.withdraw(request.params.id, order)) ?? missing();
        return reply.code(201).send(toRulingJson(withdrawn, await directory.list()));
      },
    );
  };
}

/**
 * What is withheld from the asker is counted, or a ruling could show it to a second tenant without a word, but none of
 * it is shown.
 */
function shownTo(request: FastifyRequest, examples: DryRun["examples"]): DryRun["examples"] {
  const { scope } = readingScope(request);
  const withheld = scope.kind === "provider" && scope.security === "withheld";
  return withheld ? examples.filter(({ event }) => event.visibility !== "security") : examples;
}

function orderOf(request: FastifyRequest, body: z.infer<typeof makeRulingSchema>) {
  return {
    match: readMatch(body.match),
    answer: readAnswer(body.answer),
    why: body.why,
    by: decider(request),
    digest: body.digest,
    confirm: body.confirm === true,
  };
}

function missing(): never {
  throw notFound();
}
