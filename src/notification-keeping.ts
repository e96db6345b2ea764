import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import { concealSecrets, resolveSecret } from "./config-secret.ts";
import { regionsOf } from "./config-tenancy.ts";
import { IsochronError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { instant } from "./model/instant.ts";
import type { NotificationRule } from "./model/notification.ts";
import type { Scope } from "./model/scope.ts";
import { AddressGuard } from "./pipeline/address-guard.ts";
import { Poster } from "./pipeline/notify/message-post.ts";
import { fireTest, keepNotifying } from "./pipeline/notify/notifier.ts";
import type { NotifyTools, OpenTarget, Outlet } from "./pipeline/notify/notify-tools.ts";
import { passesFilter, toEventFilter } from "./present/api/event-filter.ts";
import { derivedSigningKey, openUrl } from "./present/api/notification-json.ts";
import type { Notifications } from "./present/api/notification-parts.ts";
import { rightOfRule } from "./present/api/notification-right.ts";
import { TenantDirectory } from "./present/api/tenant-directory.ts";
import { serverSecret } from "./server-secret.ts";
import type { Store } from "./store/store.ts";

/** Rules and their messages in one process. */
export interface NotificationKeeping {
  readonly desk: Notifications;
  /** Runs the rules and sends, until the signal ends it. */
  keep(signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
}

export async function keepNotifications(
  config: Config,
  store: Store,
  log: Logger,
): Promise<NotificationKeeping> {
  const secret = await serverSecret(config);
  const outlets = {
    provider: outletOf("A notification rule", config.notifyAllowNetworks, true),
    tenant: outletOf("A tenant's notification rule", [], false),
  };
  const ended = new AbortController();
  const tools = toolsOf(config, store, secret, outlets, log);
  return {
    desk: {
      store: store.notifications,
      fireTest: (rule) => fireTest(tools, rule, ended.signal),
      checkTarget: (owner, url) => tools.outletOf(owner).addresses.check(url),
    },
    keep: (signal) => keepNotifying(tools, signal),
    end: async () => {
      ended.abort();
      await Promise.all([outlets.provider.poster.close(), outlets.tenant.poster.close()]);
    },
  };
}

/** Public addresses always; others only where they are allowed by range, and for tenants never. */
function outletOf(
  connection: string,
  allowNetworks: readonly string[],
  tellsNames: boolean,
): Outlet & { readonly poster: Poster } {
  const addresses = new AddressGuard({ connection, allowNetworks });
  const chance = { nowMs: () => performance.now(), random: Math.random };
  const poster = new Poster({ addresses, tellsNames, ...chance });
  return { addresses, poster };
}

function toolsOf(
  config: Config,
  store: Store,
  secret: Uint8Array,
  outlets: Readonly<Record<"provider" | "tenant", Outlet>>,
  log: Logger,
): NotifyTools {
  const now = () => instant(Date.now());
  const settings = { customers: config.customers, regions: regionsOf(config.connections) };
  const directory = new TenantDirectory(store.topology, now, settings);
  return {
    store: store.notifications,
    reader: store.reader,
    audit: store.audit,
    incidents: store.incidents,
    rightOf: (rule) => rightOfRule({ tokens: store.tokens, directory, clock: now }, rule),
    matcherOf: (rule, scope) => matcherOf(directory, rule, scope),
    openTarget: (rule) => openTarget(secret, rule),
    outletOf: (owner) => outlets[owner === "provider" ? "provider" : "tenant"],
    conceal: concealSecrets,
    now,
    random: Math.random,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    onError: (err, rule) => log.error({ err, ...(rule === undefined ? {} : { rule }) }, "a rule did not run"),
  };
}

/** A customer that is configured no more has no events. */
async function matcherOf(
  directory: TenantDirectory,
  { query }: NotificationRule,
  scope: Scope,
): ReturnType<NotifyTools["matcherOf"]> {
  const tenants = await directory.list();
  const { customer, resource } = query;
  if (customer !== undefined && tenants.customer(customer) === undefined) return () => false;
  const asked = { ...query, resource } as Parameters<typeof toEventFilter>[0];
  const filter = toEventFilter(asked, scope.kind, tenants);
  return (visible) => passesFilter(visible, filter);
}

function openTarget(secret: Uint8Array, { id, target }: NotificationRule): OpenTarget {
  const url = openUrl(secret, id, target.sealedUrl);
  if (url === undefined) {
    throw new IsochronError(
      "config-invalid",
      "The address of a notification rule was sealed with another server's secret.",
      "Change the rule and give the address again.",
    );
  }
  const { signingSecret, authorization } = target;
  return {
    url,
    signingSecret: signingSecret === undefined ? derivedSigningKey(secret, id) : resolveSecret(signingSecret),
    ...(authorization === undefined ? {} : { authorization: resolveSecret(authorization) }),
  };
}
