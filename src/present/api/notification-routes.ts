import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { NotificationRule } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import type { StandingRule } from "../../store/notification-store.ts";
import type { ApiContext } from "./api-context.ts";
import {
  createRuleSchema,
  deliveriesSchema,
  deliverySchema,
  editRuleSchema,
  newRuleSchema,
  replayedSchema,
  replayRequestSchema,
  ruleSchema,
  rulesSchema,
  type RuleJson,
} from "./notification-contract.ts";
import { derivedSigningKey, readRule, toDeliveryJson, toRuleJson } from "./notification-json.ts";
import {
  checkRoom,
  checkRule,
  keepTarget,
  makerOf,
  noteOf,
  reachOf,
  readOwner,
  targetOf,
} from "./notification-order.ts";
import type { Notifications } from "./notification-parts.ts";
import { scopeOfRoles, scopeOfRule } from "./notification-right.ts";
import { notFound } from "./problem.ts";
import type { Principal } from "./principal.ts";
import { checkOwnPage, deny } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const ruleParams = z.object({ id: z.string().regex(/^ntf_[0-9a-f]{20}$/) });
const bodyLimit = 32 * 1024;
const csrf = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";
const listedMax = 500;
const lastDeliveries = 5;
const deliveriesMax = 100;
const testRestMs = 5_000;

/** Somebody who may have messages sent, and with whose eyes they look at rules. */
interface Keeper {
  readonly principal: Principal;
  readonly scope: Scope;
}

/**
 * Rules of the provider for those who may take events out of the house, and of each tenant for its administrators. To
 * everybody else there is nothing here.
 */
export function notificationRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { notifications } = context;
  return async (app) => {
    if (notifications === undefined) return;
    app.addHook("onRequest", async (request) => {
      keeperOf(request);
      checkOwnPage(request);
    });
    await app.register(readingRoutes(context, notifications));
    await app.register(makeRoute(context, notifications));
    await app.register(editRoute(context, notifications));
    await app.register(sendingRoutes(context, notifications));
  };
}

function readingRoutes(context: ApiContext, { store }: Notifications): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/notification-rules",
      {
        schema: {
          summary: "Rules that tell others of events, with their last deliveries (providers, administrators)",
          querystring: noQuery,
          response: { 200: rulesSchema },
        },
      },
      async (request) => {
        const { scope } = keeperOf(request);
        const rules: RuleJson[] = [];
        for (const one of await store.list(scope, listedMax))
          rules.push(await tell(context, store, scope, one));
        return { rules };
      },
    );
    app.get(
      "/notification-rules/:id",
      {
        schema: {
          summary: "One rule (providers, administrators)",
          params: ruleParams,
          querystring: noQuery,
          response: { 200: ruleSchema },
        },
      },
      async (request) => {
        const { scope } = keeperOf(request);
        return tell(context, store, scope, await findRule(request, store));
      },
    );
    app.get(
      "/notification-rules/:id/deliveries",
      {
        schema: {
          summary: "What became of a rule's messages, latest first (providers, administrators)",
          params: ruleParams,
          querystring: noQuery,
          response: { 200: deliveriesSchema },
        },
      },
      async (request) => {
        const { rule } = await findRule(request, store);
        const found = await store.deliveries(keeperOf(request).scope, rule.id, deliveriesMax);
        return { deliveries: found.map(toDeliveryJson) };
      },
    );
  };
}

function makeRoute(context: ApiContext, notifications: Notifications): FastifyPluginAsyncZod {
  const { store } = notifications;
  const { audit, clock, directory, secret } = context;
  return async (app) => {
    app.post(
      "/notification-rules",
      {
        bodyLimit,
        schema: {
          summary: "Make a rule; the key that its messages are signed with is shown this once",
          description: csrf,
          querystring: noQuery,
          body: createRuleSchema,
          response: { 201: newRuleSchema },
        },
      },
      async (request, reply) => {
        const { principal, scope } = keeperOf(request);
        const { owner: asked, url, ...rest } = request.body;
        const owner = readOwner(principal, asked, request);
        const reach = reachOf(principal, owner);
        const runsAs = scopeOfRule(principal, { owner, reach }, await directory.list());
        if (runsAs === undefined) throw deny(request);
        await checkRoom(store, scope, owner);
        const id = `ntf_${randomBytes(10).toString("hex")}`;
        const rule: NotificationRule = {
          ...readRule(rest),
          id,
          version: 1,
          owner,
          reach,
          target: targetOf(context, notifications, principal, { id, owner, url, ...rest }),
          maker: makerOf(principal),
          decidedAt: clock(),
        };
        checkRule(rule);
        const made = await decide(context, store, rule, runsAs);
        await audit.done(request, "notification", principal, noteOf(rule, "made"));
        const told = await tell(context, store, scope, made);
        const key = rule.target.signingSecret === undefined ? derivedSigningKey(secret, id) : undefined;
        return reply.code(201).send({ ...told, ...(key === undefined ? {} : { signing_key: key }) });
      },
    );
  };
}

function editRoute(context: ApiContext, notifications: Notifications): FastifyPluginAsyncZod {
  const { store } = notifications;
  const { audit, clock, directory } = context;
  return async (app) => {
    app.put(
      "/notification-rules/:id",
      {
        bodyLimit,
        schema: {
          summary: "Change a rule, disable or resume it; from then on it rests on one's own right",
          description: csrf,
          params: ruleParams,
          querystring: noQuery,
          body: editRuleSchema,
          response: { 200: ruleSchema },
        },
      },
      async (request) => {
        const { principal, scope } = keeperOf(request);
        const { rule: before } = await findRule(request, store);
        const { expected_version: expected, url, ...rest } = request.body;
        const runsAs = scopeOfRule(principal, before, await directory.list());
        if (runsAs === undefined) throw deny(request);
        const target =
          url === undefined
            ? keepTarget(before.target, principal, rest)
            : targetOf(context, notifications, principal, {
                id: before.id,
                owner: before.owner,
                url,
                ...rest,
              });
        const { id, owner, reach } = before;
        const rule: NotificationRule = {
          ...readRule(rest),
          id,
          owner,
          reach,
          version: expected + 1,
          target,
          maker: makerOf(principal),
          decidedAt: clock(),
        };
        checkRule(rule);
        const made = await decide(context, store, rule, runsAs);
        await audit.done(
          request,
          "notification",
          principal,
          noteOf(rule, rule.enabled ? "edited" : "disabled"),
        );
        return tell(context, store, scope, made);
      },
    );
  };
}

function sendingRoutes(context: ApiContext, notifications: Notifications): FastifyPluginAsyncZod {
  const { store } = notifications;
  const { audit, clock, directory } = context;
  const admit = async (request: FastifyRequest): Promise<StandingRule> => {
    const found = await findRule(request, store);
    const { principal } = keeperOf(request);
    if (scopeOfRule(principal, found.rule, await directory.list()) === undefined) throw deny(request);
    return found;
  };
  return async (app) => {
    app.post(
      "/notification-rules/:id/test",
      {
        schema: {
          summary: "Send a message that tells of nothing, at once and once",
          description: csrf,
          params: ruleParams,
          querystring: noQuery,
          response: { 200: deliverySchema },
        },
      },
      async (request) => {
        const { principal, scope } = keeperOf(request);
        const { rule } = await admit(request);
        const last = (await store.deliveries(scope, rule.id, lastDeliveries)).find(
          ({ draft }) => draft.kind === "test",
        );
        if (last !== undefined && clock() - last.madeAt < testRestMs) {
          throw new IsochronError("rate-limited", "The rule was tried just now.", "Wait five seconds.");
        }
        await audit.done(request, "notification", principal, noteOf(rule, "tested"));
        return toDeliveryJson(await notifications.fireTest(rule));
      },
    );
    app.post(
      "/notification-rules/:id/replay",
      {
        schema: {
          summary: "Make messages that were given up wait again",
          description: csrf,
          params: ruleParams,
          querystring: noQuery,
          body: replayRequestSchema,
          response: { 200: replayedSchema },
        },
      },
      async (request) => {
        const { principal } = keeperOf(request);
        const { rule } = await admit(request);
        const replayed = await store.revive(rule.id, clock(), request.body.delivery);
        const note = noteOf(rule, "replayed");
        await audit.done(request, "notification", principal, {
          ...note,
          details: { ...note.details, messages: replayed },
        });
        return { replayed };
      },
    );
  };
}

/** Throws the one 404 for whoever may not have anything sent, and while a provider looks as a tenant. */
function keeperOf(request: FastifyRequest): Keeper {
  const { principal, scope } = readingScope(request);
  const isKeeper =
    scope.kind === "provider"
      ? principal.permissions.has("export")
      : !principal.provider && (scope.sensitiveKeys ?? []).length > 0;
  if (!isKeeper) throw deny(request);
  // What is shown for an hour, for a reason, is nothing to have sent: glass that was broken does not count here.
  const own = scope.kind === "provider" ? scopeOfRoles(principal) : scope;
  return { principal: { ...principal, scope: own }, scope: own };
}

async function findRule(request: FastifyRequest, store: Notifications["store"]): Promise<StandingRule> {
  const { id } = request.params as z.output<typeof ruleParams>;
  const found = await store.find(keeperOf(request).scope, id);
  if (found === undefined) throw notFound();
  return found;
}

async function decide(
  { store: { reader } }: ApiContext,
  store: Notifications["store"],
  rule: NotificationRule,
  runsAs: Scope,
): Promise<StandingRule> {
  const { position } = await reader.feed(runsAs, undefined, 1);
  return store.decide(rule, position.mark ?? "");
}

async function tell(
  { directory }: ApiContext,
  store: Notifications["store"],
  scope: Scope,
  one: StandingRule,
): Promise<RuleJson> {
  const deliveries = await store.deliveries(scope, one.rule.id, lastDeliveries);
  return toRuleJson(one, deliveries, await directory.list(), scope.kind === "provider");
}
