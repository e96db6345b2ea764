import { IsochronError } from "../errors.ts";
import { alertmanagerPull } from "./alertmanager-pull.ts";
import { alertmanager } from "./alertmanager.ts";
import { cloudevents } from "./cloudevents.ts";
import { gitForge } from "./git-forge.ts";
import { kafka } from "./kafka.ts";
import { kubernetesEvents } from "./kubernetes-events.ts";
import { nats } from "./nats.ts";
import { openstackEventsApi } from "./openstack-events-api.ts";
import { openstackInventory } from "./openstack-inventory.ts";
import { openstackLogs } from "./openstack-logs.ts";
import { openstackNotifications } from "./openstack-notifications.ts";
import { otlpLogs } from "./otlp-logs.ts";
import { postMortem } from "./post-mortem.ts";
import { rest } from "./rest.ts";
import { statuspage } from "./statuspage.ts";
import { syslog } from "./syslog.ts";
import type { Source } from "./source.ts";
import { sql } from "./sql.ts";
import { zabbixWebhook } from "./zabbix-webhook.ts";
import { zabbix } from "./zabbix.ts";

/** Every source there is, in the order in which they are listed. */
export const sources: readonly Source[] = [
  openstackNotifications,
  openstackInventory,
  openstackEventsApi,
  openstackLogs,
  alertmanager,
  alertmanagerPull,
  zabbix,
  zabbixWebhook,
  cloudevents,
  nats,
  kafka,
  gitForge,
  kubernetesEvents,
  otlpLogs,
  statuspage,
  syslog,
  rest,
  sql,
  postMortem,
];

/** The source of that name. Throws `source-unknown`. */
export function findSource(name: string): Source {
  const source = sources.find((one) => one.name === name);
  if (source !== undefined) return source;
  throw new IsochronError(
    "source-unknown",
    `There is no source ${JSON.stringify(name)}.`,
    `Use one of ${sources.map((one) => one.name).join(", ")}.`,
  );
}
