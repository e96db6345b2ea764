/** An answer as the asker gets it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** The moment of the answer and the number of the request are of no use to anybody who compares two answers. */
const ofEachAnswer = new Set(["date", "x-request-id"]);

/** Where two answers differ, to the byte; undefined where they are the same. */
export function differenceOf(left: Answer, right: Answer): string | undefined {
  if (left.status !== right.status) return `status ${left.status} and ${right.status}`;
  return differenceOfBodies(left, right) ?? differenceOfHeaders(left, right);
}

function differenceOfBodies(left: Answer, right: Answer): string | undefined {
  if (left.body === right.body) return undefined;
  let at = 0;
  while (left.body[at] === right.body[at]) at += 1;
  const around = ({ body }: Answer) => body.slice(Math.max(0, at - 120), at + 120);
  return `the body differs at ${at}: «${around(left)}» and «${around(right)}»`;
}

function differenceOfHeaders(left: Answer, right: Answer): string | undefined {
  for (const name of new Set([...Object.keys(left.headers), ...Object.keys(right.headers)])) {
    if (ofEachAnswer.has(name)) continue;
    const [one, other] = [left, right].map(({ headers }) => String(headers[name]));
    if (one !== other) return `the header ${name} is ${one} and ${other}`;
  }
  return undefined;
}

export interface StreamOptions {
  /** Called once, when the stream has taken its place: what happens from then on has to come. */
  readonly onBegun?: () => Promise<void>;
  /** Ends the reading with the frame that holds it; else with the first beat, when there is nothing more to tell. */
  readonly until?: RegExp;
}

/** What a live stream tells, without its beats; or its refusal. */
export async function readStream(
  url: string,
  headers: Record<string, string>,
  { onBegun = async () => undefined, until = /^:\n/m }: StreamOptions = {},
): Promise<Answer> {
  const abort = new AbortController();
  const answer = await fetch(url, { headers, signal: abort.signal });
  const told = { status: answer.status, headers: Object.fromEntries(answer.headers) };
  if (answer.status !== 200) return { ...told, body: await answer.text() };
  let body = "";
  let begun: Promise<void> | undefined;
  try {
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      body += chunk;
      if (begun === undefined && /^:|^id:|^event:/m.test(body)) begun = onBegun();
      if (body.endsWith("\n\n") && until.test(body)) break;
    }
  } finally {
    abort.abort();
    await begun;
  }
  return { ...told, body: body.replaceAll(/^:\n\n/gm, "") };
}
