import { useEffect } from "preact/hooks";
import type { RuleJson, RulesJson } from "../../api/notification-contract.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { NotificationRuleCard } from "../ui/notification-rule-card.tsx";
import { NotificationRuleForm } from "../ui/notification-rule-form.tsx";
import { usePageData } from "../ui/page-data.ts";

const refreshMs = 10_000;

/** Rules that tell others of events: what each tells whom, what became of its messages, and a new one. */
export function NotificationsPage() {
  const { data, failure, since, retry } = usePageData<RulesJson>("notification-rules", refreshMs);
  useEffect(() => void (document.title = "Notifications · Isochron"), []);
  return (
    <main class="page">
      <h1>Notifications</h1>
      <p class="lead">
        A rule posts a message to an address when events match. It is told what its maker may see, at the
        moment of sending.
      </p>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <section class={failure === undefined ? "" : "dimmed"} aria-labelledby="rules-title">
          <h2 id="rules-title">Rules</h2>
          <RuleList rules={data.rules} reread={retry} />
        </section>
      )}
      <NotificationRuleForm onMade={retry} />
    </main>
  );
}

function RuleList({ rules, reread }: { rules: readonly RuleJson[]; reread: () => void }) {
  if (rules.length === 0) return <p>There is none yet. Nobody is told of anything.</p>;
  return (
    <ul class="cards">
      {rules.map((rule) => (
        <NotificationRuleCard key={rule.id} rule={rule} reread={reread} />
      ))}
    </ul>
  );
}
