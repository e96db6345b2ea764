import { useEffect, useState } from "preact/hooks";
import type { TokenJson } from "../../api/token-contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { sendApi } from "../state/client.ts";
import { session } from "../state/session.ts";
import { targetWords } from "../state/tenant-target.ts";
import { isGood } from "../state/token-words.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { usePageData } from "../ui/page-data.ts";
import { useSending } from "../ui/sending.ts";
import { TokenForm } from "../ui/token-form.tsx";

/** API tokens of whom one administers: which there are, a new one, and the end of one. */
export function TokensPage() {
  const { data, failure, since, retry } = usePageData<{ tokens: TokenJson[] }>("tokens");
  useEffect(() => void (document.title = "API tokens · Isochron"), []);
  const now = Date.now();
  const latestFirst = data?.tokens.toSorted((one, other) => (one.created_at < other.created_at ? 1 : -1));
  const good = latestFirst?.filter((token) => isGood(token, now)) ?? [];
  const over = latestFirst?.filter((token) => !isGood(token, now)) ?? [];
  return (
    <main class="page">
      <h1>API tokens</h1>
      <p class="lead">
        For programs, and for people without another way to sign in. Whoever has a token is who it says.
      </p>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      <TokenForm onMade={retry} />
      {data !== undefined && (
        <section class={failure === undefined ? "" : "dimmed"} aria-labelledby="tokens-title">
          <h2 id="tokens-title">In use</h2>
          {good.length === 0 ? <p>There is none.</p> : <TokenTable tokens={good} reread={retry} />}
          {over.length > 0 && (
            <details class="versions">
              <summary>
                {over.length} that {over.length === 1 ? "is" : "are"} revoked or over
              </summary>
              <TokenTable tokens={over} />
            </details>
          )}
        </section>
      )}
    </main>
  );
}

/** Without `reread` nothing can be revoked in it. */
function TokenTable({ tokens, reread }: { tokens: readonly TokenJson[]; reread?: () => void }) {
  const title = reread === undefined ? "Tokens that are revoked or over" : "Tokens in use";
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label={`${title}, scrollable`}>
      <table class="plain">
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Opens</th>
            <th scope="col">Role</th>
            <th scope="col">Made</th>
            <th scope="col">{reread === undefined ? "Ended" : "Ends"}</th>
            <th scope="col">Last used</th>
            {reread !== undefined && (
              <th scope="col">
                <span class="visually-hidden">Revoke</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <TokenRow key={token.id} token={token} {...(reread === undefined ? {} : { reread })} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TokenRow({ token, reread }: { token: TokenJson; reread?: () => void }) {
  const moment = (at: string) => formatMoment(Date.parse(at), preferredZone.value);
  const end = token.revoked_at ?? token.expires_at;
  return (
    <tr>
      <th scope="row" class="token-name">
        {token.name} <code class="dim">{token.id}</code>
      </th>
      <td class="nowrap">{opensWords(token)}</td>
      <td>{token.role ?? "–"}</td>
      <td class="nowrap">
        <time>{moment(token.created_at)}</time>
        {token.made_by !== null && <span class="dim"> by {token.made_by}</span>}
      </td>
      <td class="nowrap">
        {end === null ? "never" : <time>{moment(end)}</time>}
        {token.revoked_at !== null && <span class="dim"> revoked</span>}
      </td>
      <td class="nowrap">{token.used_on ?? "never"}</td>
      {reread !== undefined && (
        <td>
          <Revoke token={token} reread={reread} />
        </td>
      )}
    </tr>
  );
}

function opensWords(token: TokenJson): string {
  if (token.scope === "provider") return "the provider’s view";
  if (token.scope === "ingest") return `posts to ${token.connection ?? ""}`;
  return targetWords(token as Parameters<typeof targetWords>[0], session.value);
}

/** Asked twice, because nothing brings a token back. */
function Revoke({ token, reread }: { token: TokenJson; reread: () => void }) {
  const [asking, setAsking] = useState(false);
  const { busy, failure, send } = useSending();
  const revoke = async () => {
    const done = await send(() => sendApi("DELETE", `tokens/${encodeURIComponent(token.id)}`));
    if (done !== undefined) reread();
  };
  const whose = <span class="visually-hidden"> {token.name}</span>;
  if (failure !== undefined) return <ErrorNotice failure={failure} retry={() => void revoke()} />;
  if (!asking) {
    return (
      <button type="button" class="control" onClick={() => setAsking(true)}>
        Revoke…{whose}
      </button>
    );
  }
  return (
    <span class="revoke">
      <button type="button" class="control primary" disabled={busy} onClick={() => void revoke()}>
        End it and its sessions now{whose}
      </button>
      <button type="button" class="control" onClick={() => setAsking(false)}>
        Keep{whose}
      </button>
    </span>
  );
}
