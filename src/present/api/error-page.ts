import type { FastifyInstance } from "fastify";
import { errorTable } from "../../errors.ts";

/** What the `type` of every problem document points at: one anchor for each code. */
export function serveErrorPage(app: FastifyInstance): void {
  const page = renderErrorPage();
  app.get("/docs/errors", { schema: { hide: true } }, async (_request, reply) =>
    reply.header("content-type", "text/html; charset=utf-8").header("cache-control", "no-cache").send(page),
  );
}

function renderErrorPage(): string {
  const rows = Object.entries(errorTable).map(([code, { status, title, kind }]) =>
    renderRow(code, status, kind, title),
  );
  rows.push(renderRow("internal", 500, "bug", "Something is wrong on our side"));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Isochron: error codes</title></head>
<body>
<h1>Error codes</h1>
<p>Every problem document names one of these codes, says what was wrong and what to do.</p>
<table>
<thead><tr><th scope="col">Code</th><th scope="col">HTTP status</th><th scope="col">Kind</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</body>
</html>
`;
}

function renderRow(code: string, status: number, kind: string, title: string): string {
  return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${kind}</td><td>${title}</td></tr>`;
}
