import { useEffect, useState } from "preact/hooks";
import type { HealthJson } from "../../api/contract.ts";
import { readApi, RequestFailure } from "../state/client.ts";
import { signIn } from "../state/session.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";

export function SignInPage() {
  const [demo, setDemo] = useState(false);
  const [token, setToken] = useState("");
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  useEffect(() => {
    document.title = "Sign in · Isochron";
    readApi<HealthJson>("health").then(
      (health) => setDemo(health.demo),
      (error: unknown) => {
        if (error instanceof RequestFailure) setFailure(error);
        else throw error;
      },
    );
  }, []);
  const attempt = (credential: { demo: true } | { token: string }) => {
    setFailure(undefined);
    void signIn(credential).then(setFailure);
  };
  return (
    <main class="centred">
      <h1 class="brand-large">Isochron</h1>
      <p class="lead">What else changed around the same time, whose is it, and how do we know?</p>
      {demo && (
        <button type="button" class="control primary large" onClick={() => attempt({ demo: true })}>
          Open the demo as provider
        </button>
      )}
      <form
        class="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          attempt({ token: token.trim() });
        }}
      >
        <label for="token">{demo ? "Or sign in with an API token" : "API token"}</label>
        <div class="sign-in-row">
          <input
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <button type="submit" class="control" disabled={token.trim() === ""}>
            Sign in
          </button>
        </div>
        <p class="hint">
          A provider makes one with <code>isochron token create</code>.
        </p>
      </form>
      {failure !== undefined && <ErrorNotice failure={failure} />}
    </main>
  );
}
