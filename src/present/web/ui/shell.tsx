import type { ComponentChildren } from "preact";
import type { SessionJson } from "../../api/contract.ts";
import type { TenantJson } from "../../api/tenancy-contract.ts";
import { announcement } from "../state/announcer.ts";
import { helpOpen } from "../state/commands.ts";
import { address, goTo, readRoute, type Route } from "../state/route.ts";
import { hasRight } from "../state/rights.ts";
import { lookAs, readsAudit, session } from "../state/session.ts";
import { timelineHref } from "../state/timeline-state.ts";
import { AccountMenu } from "./account-menu.tsx";
import { BreakGlassDialog } from "./break-glass-dialog.tsx";
import { BreakGlassButton, GlassBanner } from "./glass-banner.tsx";
import { Link } from "./link.tsx";
import { Pick } from "./pick.tsx";

/** The frame of every page: where one is, who one is, and how it looks. */
export function Shell({ children }: { children: ComponentChildren }) {
  const current = session.value;
  if (current === undefined) return null;
  const { page } = readRoute(address.value.path);
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="bar">
        <Link href="/t" class="brand">
          <BrandMark />
          Isochron
        </Link>
        <nav aria-label="Pages">
          <Link href={timelineHref()} current={page === "timeline"}>
            Timeline
          </Link>
          <Link href="/alerts" current={page === "alerts"}>
            Alerts
          </Link>
          <Link href="/incidents" current={page === "incidents" || page === "incident"}>
            Incidents
          </Link>
          <Link href="/operations" current={page === "operations" || page === "operation"}>
            Operations
          </Link>
          <Link href="/compare" current={page === "compare"}>
            Compare
          </Link>
          {current.kind === "provider" && <ProviderLinks page={page} />}
        </nav>
        <div class="bar-end">
          {hasRight(current, "look-as-tenant") && !current.as_tenant && <SeeAs session={current} />}
          <BreakGlassButton />
          <button
            type="button"
            class="control quiet"
            onClick={() => void (helpOpen.value = true)}
            aria-haspopup="dialog"
          >
            Help <kbd>?</kbd>
          </button>
          <AccountMenu session={current} />
        </div>
      </header>
      <GlassBanner />
      <BreakGlassDialog />
      {current.as_tenant && <TenantBanner label={current.label} />}
      <div id="content" class="content" tabIndex={-1}>
        {children}
      </div>
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}

/** The pages that only the provider has, and of those the ones that this role may see. */
function ProviderLinks({ page }: { page: Route["page"] }) {
  return (
    <>
      <Link href="/sources" current={page === "sources"}>
        Sources
      </Link>
      <Link href="/quarantine" current={page === "quarantine" || page === "rulings"}>
        Quarantine
      </Link>
      <Link href="/notices" current={page === "notices"}>
        Notices
      </Link>
      {readsAudit.value && (
        <Link href="/audit" current={page === "audit"}>
          Audit
        </Link>
      )}
    </>
  );
}

function BrandMark() {
  return (
    <svg class="brand-mark" viewBox="0 0 20 20" aria-hidden="true">
      <path class="brand-axis" d="M1 10h18" />
      <path class="kind-change" d="M6.5 2.5 10 6l-3.5 3.5L3 6z" />
      <path class="kind-symptom" d="M13.5 11.5 17 17.5h-7z" />
    </svg>
  );
}

function TenantBanner({ label }: { label: string }) {
  return (
    <div class="tenant-banner" role="status">
      <span>
        You see what <strong>{label}</strong> sees, through the same rules.
      </span>
      <button type="button" class="control" onClick={() => void lookAs(undefined).then(() => goTo("/t"))}>
        Back to the provider’s view
      </button>
    </div>
  );
}

/** Tenants under their domains; a domain is itself a tenant. */
export function tenantGroups(
  tenants: readonly TenantJson[],
): { label: string; tenants: { index: number; label: string }[] }[] {
  const groups = new Map<string, { label: string; tenants: { index: number; label: string }[] }>();
  tenants.forEach((tenant, index) => {
    const key = tenant.domain_id ?? "";
    const label = tenant.domain_name ?? tenant.domain_id ?? "No domain known";
    const group = groups.get(key) ?? { label, tenants: [] };
    const name =
      tenant.project_id === undefined
        ? `${label} (whole domain)`
        : `${label} / ${tenant.project_name ?? tenant.project_id}`;
    group.tenants.push({ index, label: name });
    groups.set(key, group);
  });
  return [...groups.values()].toSorted((a, b) => a.label.localeCompare(b.label));
}

function SeeAs({ session: current }: { session: SessionJson }) {
  const { customers } = current;
  if (current.tenants.length === 0) return null;
  return (
    <Pick
      label="See as"
      value=""
      title="Look through a tenant’s eyes: exactly what its own sign-in would show"
      onPick={(value) => {
        const tenant = value.startsWith("c:")
          ? customers.find((customer) => customer.customer_id === value.slice(2))
          : current.tenants[Number(value)];
        if (value !== "" && tenant !== undefined) void lookAs(tenant).then(() => goTo(timelineHref()));
      }}
    >
      <option value="">Provider</option>
      {customers.length > 0 && (
        <optgroup label="Customers">
          {customers.map((customer) => (
            <option key={customer.customer_id} value={`c:${customer.customer_id}`}>
              {customer.customer_name}
            </option>
          ))}
        </optgroup>
      )}
      {tenantGroups(current.tenants).map((group) => (
        <optgroup key={group.label} label={group.label}>
          {group.tenants.map((tenant) => (
            <option key={tenant.index} value={String(tenant.index)}>
              {tenant.label}
            </option>
          ))}
        </optgroup>
      ))}
    </Pick>
  );
}
