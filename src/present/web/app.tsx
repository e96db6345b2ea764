import { useEffect } from "preact/hooks";
import { LookUpEvent } from "./pages/event-page.tsx";
import { ResourcePage } from "./pages/resource-page.tsx";
import { SignInPage } from "./pages/sign-in-page.tsx";
import { SourcesPage } from "./pages/sources-page.tsx";
import { TimelinePage } from "./pages/timeline-page.tsx";
import { listenToKeys } from "./state/keyboard.ts";
import { address, isForProvider, readRoute, type Route } from "./state/route.ts";
import { isProvider, loadSession, readsAudit, sessionState } from "./state/session.ts";
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
        <Page route={readRoute(address.value.path)} />
      </Shell>
      <HelpSheet />
    </>
  );
}

const loadQuarantine = () => import("./pages/quarantine-page.tsx").then((page) => page.QuarantinePage);
const loadRulings = () => import("./pages/rulings-page.tsx").then((page) => page.RulingsPage);
const loadAudit = () => import("./pages/audit-page.tsx").then((page) => page.AuditPage);
const loadNotices = () => import("./pages/notices-page.tsx").then((page) => page.NoticesPage);

function Page({ route }: { route: Route }) {
  if (isForProvider(route) && !isProvider.value) return <UnknownPage path={address.value.path} />;
  if (route.page === "audit" && !readsAudit.value) return <UnknownPage path={address.value.path} />;
  switch (route.page) {
    case "timeline":
      return <TimelinePage />;
    case "sources":
      return <SourcesPage />;
    case "quarantine":
      return <LazyPage key="quarantine" load={loadQuarantine} />;
    case "rulings":
      return <LazyPage key="rulings" load={loadRulings} />;
    case "notices":
      return <LazyPage key="notices" load={loadNotices} />;
    case "audit":
      return <LazyPage key="audit" load={loadAudit} />;
    case "resource":
      return <ResourcePage kind={route.kind} id={route.id} />;
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
