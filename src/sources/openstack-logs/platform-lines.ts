import type { LogLine } from "./log-line.ts";

/** Loggers, and how their lines begin, that are known to speak of a host, an agent or a service itself. */
const ofPlatform: readonly (readonly [logger: RegExp, message: RegExp])[] = [
  [
    /^nova\.compute\.resource_tracker$/,
    /^(?:Final resource view|Hypervisor\/Node resource view|Total usable vcpus)/,
  ],
  [
    /^nova\.scheduler\.host_manager$/,
    /^(?:Successfully synced instances from host|The instance sync for host|Received a sync request from an unknown host)/,
  ],
  [
    /^nova\.compute\.manager$/,
    /^(?:Updating bandwidth usage cache|Bandwidth usage not supported|Running instance usage audit)/,
  ],
  [/^nova\.service$/, /^(?:Starting|Updating service version)/],
  [/^cinder\.(?:service|cmd\.)/, /^(?:Starting|Backup running)/],
  [/^oslo\.privsep\.daemon$/, /^(?:privsep |Spawned new privsep daemon|Running privsep helper)/],
  [/^oslo_service\./, /^/],
  [/^neutron\.agent\.dhcp\.agent$/, /^(?:Synchronizing state|All active networks have been fetched)/],
  [/^neutron\.agent\.securitygroups_rpc$/, /^(?:Refresh firewall rules|Preparing device filters)/],
  [/^neutron\.common\.config$/, /^/],
  [/ovs_neutron_agent$/, /^(?:Agent |rpc_loop |Configuration for devices up \[\] and devices down \[\])/],
  [/^(?:oslo_)?messaging/, /(?:AMQP server|heartbeat)/],
  [/^oslo\.messaging\./, /^/],
];

/** Whether the line is known to be about the provider's own estate; of any other line nothing is claimed. */
export function lineIsOfPlatform({ logger, message }: LogLine): boolean {
  return (
    logger !== undefined &&
    ofPlatform.some(([name, text]) => name.test(logger) && text.test(message.trimStart()))
  );
}
