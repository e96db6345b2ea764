import { useEffect } from "preact/hooks";
import type { SessionJson } from "../api/contract.ts";
import { LookUpEvent } from "./pages/event-page.tsx";
import { SignInPage } from "./pages/sign-in-page.tsx";
import { TimelinePage } from "./pages/timeline-page.tsx";
import { listenToKeys } from "./state/keyboard.ts";
import { address, opensFor, readRoute, type Route } from "./state/route.ts";
import { loadSession, sessionState } from "./state/session.ts";
import { ErrorNotice } from "./ui/error-notice.tsx";
import { HelpSheet } from "./ui/help-sheet.tsx";
import { LazyPage } from "./ui/lazy-page.tsx";
import { Shell } from "./ui/shell.tsx";

/** The whole of the pages: signed out, or the shell with the page that the address names. */
export function App() {
  useEffect(listenToKeys, []);
  const current = sessionState.value;
  if (current.state === "loading") return <div class="blank" aria-busy="true" />;
  if (current.state === "out") return <SignInPage />;
  if (current.state === "failed") {
    return (
      <main class="centred">
        <h1 class="brand-large">Isochron</h1>
        <ErrorNotice failure={current.failure} retry={() => void loadSession()} />
      </main>
    );
  }
  return (
    <>
      <Shell>
        <Page route={readRoute(address.value.path)} session={current.session} />
      </Shell>
      <HelpSheet />
    </>
  );
}

const loadAlerts = () => import("./pages/alerts-page.tsx").then((page) => page.AlertsPage);
const loadSources = () => import("./pages/sources-page.tsx").then((page) => page.SourcesPage);
const loadTokens = () => import("./pages/tokens-page.tsx").then((page) => page.TokensPage);
const loadNotifications = () =>
  import("./pages/notifications-page.tsx").then((page) => page.NotificationsPage);
const loadRetention = () => import("./pages/retention-page.tsx").then((page) => page.RetentionPage);
const loadExport = () => import("./pages/export-page.tsx").then((page) => page.ExportPage);
const loadBlast = () => import("./pages/blast-page.tsx").then((page) => page.BlastPage);
const loadCompare = () => import("./pages/compare-page.tsx").then((page) => page.ComparePage);
const loadOperations = () => import("./pages/operations-page.tsx").then((page) => page.OperationsPage);
const loadOperation = () => import("./pages/operations-page.tsx").then((page) => page.OperationPage);
const loadQuarantine = () => import("./pages/quarantine-page.tsx").then((page) => page.QuarantinePage);
const loadRulings = () => import("./pages/rulings-page.tsx").then((page) => page.RulingsPage);
const loadAudit = () => import("./pages/audit-page.tsx").then((page) => page.AuditPage);
const loadIncidents = () => import("./pages/incidents-page.tsx").then((page) => page.IncidentsPage);
const loadIncident = () => import("./pages/incident-page.tsx").then((page) => page.IncidentPage);
const loadResource = () => import("./pages/resource-page.tsx").then((page) => page.ResourcePage);
const loadNotices = () => import("./pages/notices-page.tsx").then((page) => page.NoticesPage);

function Page({ route, session }: { route: Route; session: SessionJson }) {
  if (!opensFor(route, session)) return <UnknownPage path={address.value.path} />;
  switch (route.page) {
    case "timeline":
      return <TimelinePage />;
    case "alerts":
      return <LazyPage key="alerts" load={loadAlerts} />;
    case "sources":
      return <LazyPage key="sources" load={loadSources} />;
    case "quarantine":
      return <LazyPage key="quarantine" load={loadQuarantine} />;
    case "rulings":
      return <LazyPage key="rulings" load={loadRulings} />;
    case "notices":
      return <LazyPage key="notices" load={loadNotices} />;
    case "audit":
      return <LazyPage key="audit" load={loadAudit} />;
    case "notifications":
      return <LazyPage key="notifications" load={loadNotifications} />;
    case "tokens":
      return <LazyPage key="tokens" load={loadTokens} />;
    case "retention":
      return <LazyPage key="retention" load={loadRetention} />;
    case "export":
      return <LazyPage key="export" load={loadExport} />;
    case "blast":
      return <LazyPage key="blast" load={loadBlast} />;
    case "compare":
      return <LazyPage key="compare" load={loadCompare} />;
    case "operations":
      return <LazyPage key="operations" load={loadOperations} />;
    case "operation":
      return <LazyPage key={`operation ${route.id}`} load={loadOperation} />;
    case "incidents":
      return <LazyPage key="incidents" load={loadIncidents} />;
    case "incident":
      return <LazyPage key={`incident ${route.id}`} load={loadIncident} />;
    case "resource":
      return <LazyPage key="resource" load={loadResource} />;
    case "event":
      return <LookUpEvent id={route.id} />;
    case "unknown":
      return <UnknownPage path={route.path} />;
  }
}

function UnknownPage({ path }: { path: string }) {
  useEffect(() => void (document.title = "Not found · Isochron"), []);
  return (
    <main class="page">
      <h1>Not found</h1>
      <p>
        There is no page at <code>{path}</code>. <a href="/t">Go to the timeline</a>
      </p>
    </main>
  );
}
