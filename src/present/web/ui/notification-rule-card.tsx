import type { DeliveryJson, RuleJson } from "../../api/notification-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { conditionWords, deliveryWords, queryWords, switchBody } from "../state/rule-words.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useSending } from "./sending.ts";

/** One rule: what it tells whom, whether it runs, its last messages, and what can be done with it. */
export function NotificationRuleCard({ rule, reread }: { rule: RuleJson; reread: () => void }) {
  const { busy, failure, send } = useSending();
  const path = `notification-rules/${encodeURIComponent(rule.id)}`;
  const test = async () => {
    const done = await send(() => sendApi<DeliveryJson>("POST", `${path}/test`));
    if (done === undefined) return;
    announce(`Test of ${rule.name}: ${done.answer.last_answer ?? done.answer.state}`);
    reread();
  };
  const change = async (enabled: boolean) => {
    const done = await send(() => sendApi("PUT", path, switchBody(rule, enabled)));
    if (done === undefined) return;
    announce(`${rule.name} ${enabled ? "runs" : "is disabled"}`);
    reread();
  };
  const replay = async () => {
    const done = await send(() => sendApi<{ replayed: number }>("POST", `${path}/replay`, {}));
    if (done === undefined) return;
    announce(`${done.answer.replayed} waiting again`);
    reread();
  };
  const isRunning = rule.enabled && rule.paused === null;
  const whose = <span class="visually-hidden"> {rule.name}</span>;
  return (
    <li class="card" aria-labelledby={`rule-${rule.id}`}>
      <h3 id={`rule-${rule.id}`}>
        {rule.name} <span class="dim">{isRunning ? "runs" : rule.enabled ? "rests" : "disabled"}</span>
      </h3>
      <p>
        On {conditionWords(rule)} ({queryWords(rule)}) to <code>{rule.target.origin}</code> as {rule.format}.
      </p>
      {rule.paused !== null && <p role="status">It rests: {rule.paused.why}</p>}
      <p class="dim">
        {rule.owner === null
          ? "The provider’s"
          : `Of ${rule.owner.project_name ?? rule.owner.project_id ?? rule.owner.domain_name ?? rule.owner.domain_id ?? "a tenant"}`}
        , by {rule.made_by} · {rule.counts.matched} matched · {rule.counts.messages} messages
        {rule.counts.too_old > 0 && ` · ${rule.counts.too_old} too old to tell`}
      </p>
      <Deliveries deliveries={rule.last_deliveries} />
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <p class="actions">
        <button type="button" class="control" disabled={busy} onClick={() => void test()}>
          Send a test{whose}
        </button>{" "}
        <button type="button" class="control" disabled={busy} onClick={() => void change(!isRunning)}>
          {isRunning ? "Disable" : "Let it run"}
          {whose}
        </button>{" "}
        {rule.last_deliveries.some(({ state }) => state === "dead") && (
          <button type="button" class="control" disabled={busy} onClick={() => void replay()}>
            Send again what was given up{whose}
          </button>
        )}
      </p>
    </li>
  );
}

function Deliveries({ deliveries }: { deliveries: readonly DeliveryJson[] }) {
  if (deliveries.length === 0) return <p class="dim">It has sent nothing yet.</p>;
  return (
    <ol aria-label="Last messages">
      {deliveries.map((delivery) => (
        <li key={delivery.id}>
          <time>{formatMoment(Date.parse(delivery.made_at), preferredZone.value)}</time>{" "}
          {deliveryWords(delivery)}
        </li>
      ))}
    </ol>
  );
}
