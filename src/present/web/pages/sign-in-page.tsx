import { useEffect, useState } from "preact/hooks";
import type { HealthJson } from "../../api/contract.ts";
import type { SignInProvidersJson } from "../../api/identity-contract.ts";
import { readApi, RequestFailure } from "../state/client.ts";
import { signIn, type SignInCredential } from "../state/session.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { KeystoneForm } from "../ui/keystone-form.tsx";

interface Offer {
  readonly demo: boolean;
  readonly providers: SignInProvidersJson["providers"];
}

/** How a sign-in elsewhere went wrong, as the server says in the address that it sends the browser back to. */
const returnFailures: Readonly<Record<string, RequestFailure>> = {
  refused: new RequestFailure(401, {
    code: "not-signed-in",
    detail: "The sign-in was not completed.",
    remedy: "Begin again; if it happens again, ask whoever gives access to Isochron.",
  }),
  unavailable: new RequestFailure(503, {
    code: "identity-unavailable",
    detail: "The sign-in service could not be asked.",
    remedy: "Try again in a while.",
  }),
};

export function SignInPage() {
  const [offer, setOffer] = useState<Offer>({ demo: false, providers: [] });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(() => takeReturnFailure());
  useEffect(() => {
    document.title = "Sign in · Isochron";
    Promise.all([readApi<HealthJson>("health"), readApi<SignInProvidersJson>("session/providers")]).then(
      ([{ demo }, { providers }]) => setOffer({ demo, providers }),
      (error: unknown) => {
        if (error instanceof RequestFailure) setFailure(error);
        else throw error;
      },
    );
  }, []);
  const attempt = (credential: SignInCredential) => {
    setFailure(undefined);
    setBusy(true);
    void signIn(credential).then((refusal) => {
      setBusy(false);
      setFailure(refusal);
    });
  };
  const { demo, providers } = offer;
  return (
    <main class="centred">
      <h1 class="brand-large">Isochron</h1>
      <p class="lead">What else changed around the same time, whose is it, and how do we know?</p>
      {failure !== undefined && <ErrorNotice failure={failure} />}
      {demo && (
        <button type="button" class="control primary large" onClick={() => attempt({ demo: true })}>
          Open the demo as provider
        </button>
      )}
      {providers.map(({ name, title, kind, user_domain: userDomain = "" }) =>
        kind === "keystone" ? (
          <KeystoneForm
            key={name}
            title={title}
            userDomain={userDomain}
            busy={busy}
            onEnter={(entry) => attempt({ provider: name, ...entry })}
          />
        ) : (
          <a key={name} class="control large" href={departureAddress(name)}>
            Sign in with {title}
          </a>
        ),
      )}
      <TokenForm
        alone={!demo && providers.length === 0}
        busy={busy}
        onEnter={(token) => attempt({ token })}
      />
    </main>
  );
}

function TokenForm(props: {
  /** Whether there is no other way to sign in. */
  readonly alone: boolean;
  readonly busy: boolean;
  readonly onEnter: (token: string) => void;
}) {
  const { alone, busy, onEnter } = props;
  const [token, setToken] = useState("");
  return (
    <form
      class={alone ? "sign-in" : "sign-in sign-in-token"}
      onSubmit={(event) => {
        event.preventDefault();
        onEnter(token.trim());
      }}
    >
      <label for="token">{alone ? "API token" : "Or sign in with an API token"}</label>
      <div class="sign-in-row">
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="control" disabled={token.trim() === "" || busy}>
          Sign in
        </button>
      </div>
      <p class="hint">
        A provider makes one with <code>isochron token create</code>.
      </p>
    </form>
  );
}

/** The way back leads to the view that was asked for. */
function departureAddress(name: string): string {
  const { pathname, search } = location;
  return `/api/v1/session/oidc/${encodeURIComponent(name)}?return_to=${encodeURIComponent(pathname + search)}`;
}

/** Told once: a page that is loaded again, or left open, says nothing of an old attempt. */
function takeReturnFailure(): RequestFailure | undefined {
  const address = new URL(location.href);
  const failure = returnFailures[address.searchParams.get("sign-in") ?? ""];
  if (failure === undefined) return undefined;
  address.searchParams.delete("sign-in");
  history.replaceState(history.state, "", address.pathname + address.search);
  return failure;
}
