import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import type { CoverageJson } from "../api/contract.ts";
import { ApiClient } from "./api-client.ts";
import { LocalTransport, RemoteTransport, type Transport } from "./api-transport.ts";
import type { Api, Host, Opened, Setup, Viewer } from "./application.ts";
import { reportCoverage } from "./coverage-text.ts";
import { exitCodes } from "./exit-code.ts";
import { createView, flagsOf, type ReadOptions } from "./shared-options.ts";
import { parseTime } from "./time-text.ts";
import type { View } from "./view.ts";

/** What a reading command works with: an API, and a place to print. */
export interface Reading {
  readonly host: Host;
  readonly client: ApiClient;
  readonly view: View;
  readonly now: Instant;
  /** A moment as typed; says on standard error how an ambiguous one was read. */
  readTime(text: string): Promise<Instant>;
  /** Says how complete the window is, after `lead`, and gives the exit code. */
  conclude(lead: string, coverage: CoverageJson, to: Instant | undefined, from?: Instant): Promise<number>;
}

/** Runs a reading command against the server or the store that the options name, and closes it afterwards. */
export async function read(
  host: Host,
  options: ReadOptions,
  act: (reading: Reading) => Promise<number>,
): Promise<number> {
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const view = createView(host, options, setup.settings.timeZone);
  for (const warning of setup.settings.warnings) await view.note(`warning: ${warning}.`);
  const now = host.now();
  const { transport, close } = connect(host, options, setup);
  const reading: Reading = {
    host,
    client: new ApiClient(transport),
    view,
    now,
    readTime: async (text) => {
      const { at, note } = parseTime(text, view.zone, now);
      if (note !== undefined) await view.note(note);
      return at;
    },
    conclude: async (lead, coverage, to, from) => {
      const report = reportCoverage(coverage, to, now, from);
      await view.note(`${lead} ${report.text}`.trim());
      return options.strict === true && !report.complete ? exitCodes.incomplete : exitCodes.ok;
    },
  };
  try {
    return await act(reading);
  } finally {
    await close();
  }
}

/** What was typed is checked first: the store is opened by the first question to it. */
function connect(
  host: Host,
  options: ReadOptions,
  setup: Setup,
): { transport: Transport; close: () => Promise<void> } {
  const viewer = viewerOf(options);
  const storeNamed = options.data !== undefined || options.databaseUrl !== undefined;
  const { server, token } = setup.settings;
  if (options.server !== undefined && storeNamed) {
    throw new IsochronError("usage", "--server and a store are both given.", "Name one of them.");
  }
  if (server !== undefined && !storeNamed) {
    if (viewer.kind !== "provider") {
      throw new IsochronError(
        "usage",
        "A server decides by the token through whose eyes you look.",
        "Use a token of that tenant instead of --as-domain, --as-project and --as-customer.",
      );
    }
    const transport = new RemoteTransport(server, token, host.version, host.signal);
    return { transport, close: async () => {} };
  }
  return openLocally(setup, viewer);
}

function openLocally(setup: Setup, viewer: Viewer): { transport: Transport; close: () => Promise<void> } {
  let opening: Promise<{ api: Api; opened: Opened }> | undefined;
  const transport = new LocalTransport(async () => {
    opening ??= setup.open().then(async (opened) => ({ opened, api: await opened.api({ viewer }) }));
    return (await opening).api;
  });
  const close = async () => {
    if (opening === undefined) return;
    const { api, opened } = await opening;
    await api.close();
    await opened.close();
  };
  return { transport, close };
}

function viewerOf(options: ReadOptions): Viewer {
  const { asDomain, asProject, asCustomer, asAdmin, controlPlane } = options;
  const role = asAdmin === true ? ({ role: "admin" } as const) : {};
  if (asDomain !== undefined) return { kind: "domain", controlPlane, domainId: asDomain, ...role };
  if (asProject !== undefined) return { kind: "project", controlPlane, projectId: asProject, ...role };
  if (asCustomer !== undefined) return { kind: "customer", customerId: asCustomer, ...role };
  return { kind: "provider" };
}
