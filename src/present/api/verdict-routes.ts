import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { fitWeights, labelsMin, type Fitness } from "../../correlate/fit-weights.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { Feedback } from "../../store/feedback-store.ts";
import type { ApiContext } from "./api-context.ts";
import { notFound } from "./problem.ts";
import { admit, admitting, decider } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";
import {
  giveVerdictSchema,
  tuningSchema,
  verdictSchema,
  verdictsQuerySchema,
  verdictsSchema,
  type TuningJson,
  type VerdictJson,
} from "./verdict-contract.ts";

const bodyLimit = 16 * 1024;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";
const lookBackMs = duration(24 * 3_600_000);
const candidatesMax = 200;

/** What people say of changes before symptoms, and what that would make of the weights. To tenants these are not there. */
export function verdictRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("read-workbench"));
    const { store } = context;
    app.get(
      "/verdicts",
      {
        schema: {
          summary: "What people said of the changes before one symptom (providers)",
          querystring: verdictsQuerySchema,
          response: { 200: verdictsSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const { symptom } = request.query;
        if ((await store.reader.event(scope, symptom)) === undefined) throw notFound();
        const given = await store.feedback.about(scope, symptom);
        return { verdicts: (await readable(context, scope, given)).map(toVerdictJson) };
      },
    );
    app.get(
      "/tuning",
      {
        schema: {
          summary: "What people's verdicts would make of the ranking's weights; changes nothing (providers)",
          querystring: z.strictObject({}),
          response: { 200: tuningSchema },
        },
      },
      () => tune(context),
    );
    await app.register(giveRoute(context));
  };
}

function giveRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, audit, clock } = context;
  return async (app) => {
    app.post(
      "/verdicts",
      {
        onRequest: admitting("decide"),
        bodyLimit,
        schema: {
          summary:
            "Say of a change before a symptom that it is suspected, confirmed or ruled out (providers)",
          description,
          querystring: z.strictObject({}),
          body: giveVerdictSchema,
          response: { 201: verdictSchema },
        },
      },
      async (request, reply) => {
        const principal = admit(request, "decide");
        const { scope } = readingScope(request);
        const { symptom, candidate, verdict, why } = request.body;
        const [seen, other] = await Promise.all([
          store.reader.event(scope, symptom),
          store.reader.event(scope, candidate),
        ]);
        if (seen === undefined || other === undefined || symptom === candidate) throw notFound();
        const addends = await shownAddends(context, scope, symptom, candidate);
        const given: Feedback = {
          symptom,
          candidate,
          verdict,
          why,
          by: decider(request),
          at: clock(),
          addends,
        };
        await store.feedback.give(given);
        await audit.done(request, "feedback", principal, {
          object: `event:${symptom}`,
          why,
          details: { candidate, verdict },
        });
        return reply.code(201).send(toVerdictJson(given));
      },
    );
  };
}

/** What the ranking says of the pair now, without what people said of it before. */
async function shownAddends(
  { whatElse }: ApiContext,
  scope: Scope,
  symptom: string,
  candidate: string,
): Promise<Feedback["addends"]> {
  const answer = await whatElse(scope, { events: [symptom], windowMs: lookBackMs, limit: candidatesMax });
  const found = answer?.candidates.find(({ event }) => event.event.id === candidate);
  return (found?.addends ?? [])
    .filter(({ name }) => name !== "verdict")
    .map(({ name, value }) => ({ name, value }));
}

/** Words about events that are withheld from the reader are withheld too. */
async function readable(
  { store }: ApiContext,
  scope: Scope,
  given: readonly Feedback[],
): Promise<readonly Feedback[]> {
  const seen = await Promise.all(given.map(({ candidate }) => store.reader.event(scope, candidate)));
  return given.filter((_, index) => seen[index] !== undefined);
}

async function tune({ store }: ApiContext): Promise<TuningJson> {
  const [all, learnt] = await Promise.all([store.feedback.all(), store.typePairs.learntAt()]);
  const countOf = (verdict: Feedback["verdict"]) => all.filter((one) => one.verdict === verdict).length;
  const labelled = all.flatMap(({ symptom, verdict, addends }) =>
    verdict === "confirmed" || verdict === "ruled-out"
      ? [{ symptom, label: verdict === "confirmed" ? (1 as const) : (0 as const), addends }]
      : [],
  );
  const fit = fitWeights(labelled);
  return {
    labels: {
      confirmed: countOf("confirmed"),
      ruled_out: countOf("ruled-out"),
      suspected: countOf("suspected"),
    },
    needed: labelsMin,
    ...(fit === undefined
      ? {}
      : {
          fit: {
            symptoms: fit.symptoms,
            folds: fit.folds,
            penalty: fit.penalty,
            factors: fit.factors.map(({ name, factor, error }) => ({ addend: name, factor, error })),
            shipped: toFitnessJson(fit.shipped),
            fitted: toFitnessJson(fit.fitted),
          },
        }),
    ...(learnt === undefined
      ? {}
      : {
          pairs: {
            learnt_at: formatInstant(learnt.at),
            from: formatInstant(learnt.from),
            to: formatInstant(learnt.to),
          },
        }),
  };
}

function toFitnessJson({ logLoss, auc, calibrationError }: Fitness) {
  return { log_loss: logLoss, auc, calibration_error: calibrationError };
}

function toVerdictJson({ symptom, candidate, verdict, why, by, at }: Feedback): VerdictJson {
  return { symptom, candidate, verdict, why, by, at: formatInstant(at) };
}
