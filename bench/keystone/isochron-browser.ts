import type { SessionJson } from "../../src/present/api/contract.ts";
import type { CloudUser } from "./keystone-admin.ts";

/** Somebody who is signed in at an Isochron, as a browser or a program would be. */
export interface SignedBrowser {
  /** Undefined once nobody is signed in any more. */
  session(): Promise<SessionJson | undefined>;
  /** Ids of the subjects of all events that are to be seen, in order; none where nobody is signed in. */
  subjects(): Promise<readonly string[]>;
  /** Opens a live stream. */
  follow(): Promise<{ isOpen(): boolean }>;
}

interface Attempt {
  readonly status: number;
  readonly body: string;
  readonly cookie: string;
}

async function attempt(address: string, body: object): Promise<Attempt> {
  const answer = await fetch(`${address}/api/v1/session/keystone`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-isochron-csrf": "1" },
    body: JSON.stringify(body),
  });
  const [cookie = ""] = (answer.headers.getSetCookie()[0] ?? "").split(";");
  return { status: answer.status, body: await answer.text(), cookie };
}

async function enter(address: string, body: object): Promise<SignedBrowser> {
  const { status, body: told, cookie } = await attempt(address, body);
  if (status !== 200) throw new Error(`the sign-in was answered ${status}: ${told}`);
  return browserWith(address, { cookie });
}

function browserWith(address: string, headers: Readonly<Record<string, string>>): SignedBrowser {
  const read = async <Answer>(path: string): Promise<Answer | undefined> => {
    const answer = await fetch(`${address}/api/v1/${path}`, { headers });
    if (answer.status === 401) return undefined;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  return {
    session: () => read<SessionJson>("session"),
    async subjects() {
      const page = await read<{ events: { subject: { id: string } }[] }>("events?limit=100");
      return (page?.events ?? []).map(({ subject }) => subject.id).toSorted();
    },
    async follow() {
      const answer = await fetch(`${address}/api/v1/live`, { headers });
      let open = answer.ok;
      void (async () => {
        for await (const _ of answer.body ?? []) continue;
        open = false;
      })();
      return { isOpen: () => open };
    },
  };
}

export const isochronBrowser = {
  attempt,
  withPassword: (address: string, { name, domainId, password }: CloudUser, more: object = {}) =>
    enter(address, { user: name, user_domain_id: domainId, password, ...more }),
  withKeystoneToken: (address: string, token: string) => enter(address, { token }),
  withApplicationCredential: (
    address: string,
    { id, secret }: { readonly id: string; readonly secret: string },
  ) => enter(address, { application_credential_id: id, application_credential_secret: secret }),
  /** Without a session. */
  withToken: (address: string, token: string) => browserWith(address, { "x-auth-token": token }),
};
