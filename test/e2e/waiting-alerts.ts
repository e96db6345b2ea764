import type { Page } from "playwright-core";

/** After the demo's incident, so that the pages which tell of that stay as they are. */
const startsAt = "2026-11-21T03:06:40Z";

/** The window in which {@link postAlert}'s events lie. */
export const alertWindow = "/t?from=2026-11-21T03:06:30Z&to=2026-11-21T03:06:50Z&tz=UTC";

/** The type of the events that {@link postAlert} makes of an alert's name in CamelCase. */
export function alertType(name: string): string {
  return `alert.${name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()}.firing`;
}

/**
 * Posts one alert to the server under test, as its monitoring would: about a thing that no record knows, so that
 * nothing says whose it is. The page's own session carries it.
 */
export async function postAlert(page: Page, name: string, summary: string): Promise<void> {
  const alert = {
    status: "firing",
    labels: { alertname: name, severity: "warning", rack: summary },
    annotations: { summary },
    startsAt,
    fingerprint: `${name} ${summary}`,
  };
  const response = await page.request.post("/api/v1/ingest/alertmanager", {
    headers: { "X-Isochron-CSRF": "1", "content-type": "application/json" },
    data: JSON.stringify({ version: "4", status: "firing", receiver: "r", alerts: [alert] }),
  });
  if (!response.ok()) throw new Error(`the alert was refused: ${response.status()} ${await response.text()}`);
}
