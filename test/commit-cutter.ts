import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { parseDatabaseUrl } from "../src/store/postgres/database-url.ts";

export interface CommitCutter {
  /** The same database behind a link that can be cut. */
  readonly url: string;
  /** Cuts every link at the next COMMIT of a page with its cursor: before the server hears of it, or once it has answered. */
  arm(when: "before" | "after"): void;
  close(): Promise<void>;
}

/** A link to the database that breaks in the very moment of a commit. */
export async function openCommitCutter(databaseUrl: string): Promise<CommitCutter> {
  const target = parseDatabaseUrl(databaseUrl);
  const links = new Set<Socket>();
  let armed: "before" | "after" | undefined;
  const cutAll = (): void => {
    armed = undefined;
    for (const link of links) link.destroy();
  };
  const server = createServer((client) => {
    const path = `${target.host}/.s.PGSQL.${target.port}`;
    const database = target.host.startsWith("/")
      ? connect({ path })
      : connect({ host: target.host, port: target.port });
    let isCommitting = false;
    let holdsPage = false;
    client.on("data", (data) => {
      holdsPage ||= data.includes("INSERT INTO isochron.connection_cursor");
      if (armed !== undefined && holdsPage && data.includes("COMMIT\0")) {
        if (armed === "before") return cutAll();
        isCommitting = true;
      }
      database.write(data);
    });
    database.on("data", (data) => {
      if (isCommitting) return cutAll();
      client.write(data);
    });
    for (const link of [client, database]) {
      links.add(link);
      link.on("error", () => undefined);
      link.on("close", () => {
        links.delete(link);
        client.destroy();
        database.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = new URL(databaseUrl);
  url.searchParams.delete("host");
  url.searchParams.delete("port");
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    arm: (when) => void (armed = when),
    close: async () => {
      cutAll();
      await new Promise((closed) => server.close(closed));
    },
  };
}
