/** One message of a text/event-stream. */
export interface ServerEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: string;
}

const messageCharsMax = 16 * 1024 * 1024;

/** Splits a stream of server-sent events (HTML Living Standard §9.2) into messages; comments are dropped. */
export async function* readServerEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let rest = "";
  let lines: string[] = [];
  for await (const chunk of chunks) {
    rest += chunk;
    if (rest.length > messageCharsMax) throw new RangeError("a message of the live stream is too long");
    const parts = rest.split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line !== "") {
        lines.push(line);
        continue;
      }
      const message = readMessage(lines);
      lines = [];
      if (message !== undefined) yield message;
    }
  }
}

function readMessage(lines: readonly string[]): ServerEvent | undefined {
  const data: string[] = [];
  let event = "message";
  let id: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id") id = value;
  }
  if (data.length === 0 && event === "message") return undefined;
  return { event, data: data.join("\n"), ...(id === undefined ? {} : { id }) };
}
