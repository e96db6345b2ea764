import { useCallback, useEffect, useState } from "preact/hooks";
import type { SessionJson } from "../../api/contract.ts";
import { accountWords, grantId, grantWords, rightsWords, throughWords } from "../state/account-words.ts";
import { preferredZone, theme, type Theme } from "../state/preferences.ts";
import { address } from "../state/route.ts";
import { hasRight, managesTokens, sendsMessages, takesAlong } from "../state/rights.ts";
import { signOut } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { Link } from "./link.tsx";
import { Pick } from "./pick.tsx";
import { PopoverHolder } from "./popover-holder.tsx";

const grantsMax = 5;

/** Who is signed in, as what, until when; the pages that only some have; and the way out. */
export function AccountMenu({ session }: { session: SessionJson }) {
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  const { path } = address.value;
  useEffect(close, [path, close]);
  return (
    <PopoverHolder label="Your account" open={open} close={close} class="account">
      <button
        type="button"
        class="control quiet"
        aria-expanded={open}
        title={`Signed in as ${session.name}, who sees: ${session.label}`}
        onClick={() => setOpen(!open)}
      >
        <span class="visually-hidden">Account: signed in as </span>
        <PersonMark />
        <span class="account-words">{accountWords(session)}</span>
      </button>
      {open && (
        <div class="popover">
          <Facts session={session} />
          <AccountLinks session={session} />
          <div class="account-foot">
            <ThemePick />
            <button type="button" class="control" onClick={() => void signOut()}>
              Sign out
            </button>
          </div>
        </div>
      )}
    </PopoverHolder>
  );
}

function PersonMark() {
  return (
    <svg class="person-mark" viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="5" r="2.8" />
      <path d="M2.5 14a5.5 5.5 0 0 1 11 0" />
    </svg>
  );
}

function Facts({ session }: { session: SessionJson }) {
  const { name, through, expires_at: expiresAt, grants, permissions, as_tenant: isLooking } = session;
  return (
    <>
      <p>
        <strong class="account-name">{name}</strong>{" "}
        <span class="dim">
          {throughWords(through)}
          {expiresAt !== null && `, until ${formatMoment(Date.parse(expiresAt), preferredZone.value)}`}
        </span>
      </p>
      {isLooking && <p class="dim">Just now with a tenant’s eyes:</p>}
      <ul class="account-grants">
        {grants.slice(0, grantsMax).map((grant) => {
          const id = grantId(grant);
          return (
            <li key={JSON.stringify(grant)}>
              {grantWords(grant)} {id !== undefined && <code class="dim">{id}</code>}
            </li>
          );
        })}
        {grants.length > grantsMax && <li class="dim">and {grants.length - grantsMax} more</li>}
      </ul>
      {session.kind === "provider" && permissions.length > 0 && (
        <p class="hint">May {rightsWords(permissions)}.</p>
      )}
    </>
  );
}

function AccountLinks({ session }: { session: SessionJson }) {
  const pages = [
    { href: "/notifications", says: "Notifications", shown: sendsMessages(session) },
    { href: "/tokens", says: "API tokens", shown: managesTokens(session) },
    { href: "/retention", says: "Retention, holds and erasures", shown: hasRight(session, "administer") },
    { href: "/export", says: "Take the events along", shown: takesAlong(session) },
  ].filter(({ shown }) => shown);
  if (pages.length === 0) return null;
  return (
    <ul class="account-links">
      {pages.map(({ href, says }) => (
        <li key={href}>
          <Link href={href}>{says}</Link>
        </li>
      ))}
    </ul>
  );
}

function ThemePick() {
  return (
    <Pick label="Theme" value={theme.value} onPick={(value) => void (theme.value = value as Theme)}>
      <option value="system">System</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </Pick>
  );
}
