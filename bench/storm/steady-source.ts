import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** How often it is polled, and how often a new alert begins in it. */
export const steadyIntervalMs = 1000;

/** A tiny Alertmanager on loopback: a new alert begins in it every second, which says how late the poll of it is. */
export class SteadySource {
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  readonly #alerts: { readonly number: number; readonly startsAt: string }[] = [];
  polls = 0;
  /** Nobody could have told in time what began before. */
  firstPolledAt = Number.POSITIVE_INFINITY;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify(request.url?.startsWith("/api/v2/alerts") === true ? this.#list() : status),
      );
    });
    this.#timer = setInterval(() => this.#begin(), steadyIntervalMs);
  }

  static async start(): Promise<SteadySource> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new SteadySource(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get begun(): number {
    return this.#alerts.length;
  }

  /** No new alert begins from here on; those that began can still be polled. */
  settle(): void {
    clearInterval(this.#timer);
  }

  async stop(): Promise<void> {
    this.settle();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #begin(): void {
    this.#alerts.push({ number: this.#alerts.length + 1, startsAt: new Date().toISOString() });
  }

  #list(): unknown {
    this.polls += 1;
    this.firstPolledAt = Math.min(this.firstPolledAt, Date.now());
    return this.#alerts.map(({ number, startsAt }) => ({
      labels: { alertname: `Steady${number}`, job: "steady" },
      annotations: {},
      startsAt,
      endsAt: startsAt,
      fingerprint: `steady-${number}`,
      status: { state: "active", silencedBy: [], inhibitedBy: [] },
    }));
  }
}

const status = { uptime: new Date(Date.now() - 86_400_000).toISOString() };
