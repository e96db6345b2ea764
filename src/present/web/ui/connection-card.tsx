import type { ComponentChildren } from "preact";
import type { HoleReason } from "../../../model/source-health.ts";
import { preferredZone } from "../state/preferences.ts";
import { heardWords, remedyOf, stateMeanings, type Connection } from "../state/source-words.ts";
import { plainView, spellView } from "../state/view.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { holeReasonWords, spanWords } from "../timeline/blind-spans.ts";
import { Link } from "./link.tsx";
import { formatCount } from "./number-words.ts";
import { StateWord } from "./state-word.tsx";

/** One connection: how it is, how far it is complete, what it breaks, where it was blind, and what it promises. */
export function ConnectionCard({ entry, now }: { entry: Connection; now: number }) {
  const title = `connection ${entry.connection}`.replaceAll(/[^\w-]+/g, "-");
  return (
    <li class={`connection connection-${entry.state}`}>
      <article aria-labelledby={title}>
        <header>
          <h2 id={title}>{entry.connection}</h2>
          <StateWord state={entry.state} />
          <p class="dim">
            {entry.source}, {entry.control_plane}
          </p>
        </header>
        {(entry.state === "silent" || isOver(entry)) && (
          <p class="state-meaning">{sentenceCase(stateMeanings[entry.state])}.</p>
        )}
        <Place entry={entry} now={now} />
        {entry.last_error !== null && (
          <p class="trouble">
            <span class="severity severity-error">last error</span> <time>{moment(entry.last_error.at)}</time>{" "}
            <code>{entry.last_error.message}</code>
          </p>
        )}
        <Findings entry={entry} />
        <Holes entry={entry} />
        <Counts entry={entry} />
        <Contract entry={entry} />
      </article>
    </li>
  );
}

/** Whether nothing more is expected of it. */
function isOver({ state }: Connection): boolean {
  return state === "finished" || state === "retired";
}

function moment(text: string): string {
  return formatMoment(Date.parse(text), preferredZone.value);
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Place({ entry, now }: { entry: Connection; now: number }) {
  const { reconciled } = entry;
  return (
    <dl class="figures">
      <Fact name="Complete to">
        {entry.complete_to === null ? "not stated" : <time>{moment(entry.complete_to)}</time>}
        {entry.holes.length > 0 && <span class="dim"> but for {holesWord(entry.holes.length)}</span>}
      </Fact>
      <Fact name="Lag">{entry.lag_ms === null || isOver(entry) ? "–" : formatLength(entry.lag_ms)}</Fact>
      <Fact name="Last heard">{isOver(entry) ? "–" : heardWords(entry, now)}</Fact>
      <Fact name="Last event">
        {entry.last_event_at === null ? "never" : <time>{moment(entry.last_event_at)}</time>}
      </Fact>
      <Fact name="Last compared">
        {reconciled === null ? (
          "never"
        ) : (
          <>
            <time>{moment(reconciled.at)}</time> {formatCount(reconciled.records)} records,{" "}
            {formatCount(reconciled.found_late)} found late
            <span class="dim"> in {spanWords(spanOf(reconciled), preferredZone.value)}</span>
          </>
        )}
      </Fact>
    </dl>
  );
}

function holesWord(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "hole" : "holes"}`;
}

function spanOf({ from, to }: { from: string; to: string }): { from: number; to: number } {
  return { from: Date.parse(from), to: Date.parse(to) };
}

function Findings({ entry }: { entry: Connection }) {
  if (entry.findings.length === 0) return null;
  return (
    <section class="trouble">
      <h3>What of its contract it breaks</h3>
      <ul>
        {entry.findings.map((finding) => (
          <li key={finding.code}>
            <p>
              <code class="code">{finding.code}</code> {finding.says}
            </p>
            <p>
              <span class="dim">Means:</span> {finding.means}
            </p>
            <Remedy code={finding.code} name={entry.connection} />
            <p class="dim">
              {finding.count === 1
                ? `Seen once, ${moment(finding.last_at)}`
                : `Seen ${formatCount(finding.count)} times, from ${moment(finding.since)} to ${moment(finding.last_at)}`}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Remedy({ code, name }: { code: string; name: string }) {
  const remedy = remedyOf(code, name);
  if (remedy === undefined) return null;
  return (
    <p>
      <span class="dim">To do:</span> {remedy}
    </p>
  );
}

/** How many holes are told one by one; the command line tells all. */
const holesMax = 12;

function Holes({ entry }: { entry: Connection }) {
  const { holes } = entry;
  if (holes.length === 0) return null;
  const told = holes.slice(-holesMax).toReversed();
  return (
    <section class="trouble">
      <h3>Where events may be missing</h3>
      <ul>
        {told.map((hole) => (
          <li key={`${hole.from} ${hole.to} ${hole.reason}`} class="hole-row">
            <span class="hole-sign" aria-hidden="true" />
            <span>
              <Link href={windowOf(spanOf(hole))} title="Show this time on the timeline">
                <time>{dayAndSpan(hole)}</time>
              </Link>{" "}
              <span class="dim">{formatLength(Date.parse(hole.to) - Date.parse(hole.from))}</span>
              {": "}
              {reasonWords(hole.reason)}
              {hole.says !== "" && <span class="dim"> {hole.says}</span>}
            </span>
          </li>
        ))}
      </ul>
      {holes.length > told.length && (
        <p class="dim">
          {formatCount(holes.length - told.length)} older ones: isochron sources {entry.connection}
        </p>
      )}
      <p class="dim">
        {holes.every((hole) => hole.reason === "outlived-retention")
          ? "The source itself has dropped what lay here; no reading again closes it."
          : "A comparison with the source closes what it proves whole; it runs by itself, and on demand."}
      </p>
    </section>
  );
}

function reasonWords(reason: HoleReason): string {
  return `${holeReasonWords[reason]}.`;
}

function dayAndSpan(hole: { from: string; to: string }): string {
  const words = spanWords(spanOf(hole), preferredZone.value);
  // A span of several days bears its dates already.
  return /^\d{4}-/.test(words) ? words : `${moment(hole.from).slice(0, 10)} ${words}`;
}

/** The timeline around a hole, with some air on both sides. */
function windowOf({ from, to }: { from: number; to: number }): string {
  const air = Math.max((to - from) * 0.5, 60_000);
  return `/t?${spellView({
    ...plainView(preferredZone.value),
    from: { kind: "absolute", ms: Math.floor(from - air) },
    to: { kind: "absolute", ms: Math.ceil(to + air) },
  })}`;
}

function Counts({ entry }: { entry: Connection }) {
  const { counts } = entry;
  const told = [
    [counts.events, counts.events === 1 ? "event" : "events"],
    [counts.folded, "folded twins"],
    [counts.repeated, "repeated"],
    [counts.revised, "revised"],
    [counts.late, "found late"],
    [counts.set_aside, "set aside"],
  ] as const;
  return (
    <p class="counts">
      {told.map(([count, word], index) =>
        count === 0 && index > 0 ? null : (
          <span key={word}>
            <strong>{formatCount(count)}</strong> {word}
          </span>
        ),
      )}
    </p>
  );
}

function Contract({ entry }: { entry: Connection }) {
  const { contract } = entry;
  if (contract === null) return null;
  return (
    <details class="contract">
      <summary>
        Contract<span class="visually-hidden"> of {entry.connection}</span>
      </summary>
      <dl class="facts wide">
        <Fact name="Identity">{contract.identity}</Fact>
        <Fact name="Version">{contract.version}</Fact>
        <Fact name="Delivery">
          {contract.delivery}, {contract.ordering}, records{" "}
          {contract.revisions === "never" ? "never change" : "may change"}
        </Fact>
        <Fact name="Readable">within {formatLength(contract.commit_delay_max_ms)}</Fact>
        <Fact name="Clock error">at most {formatLength(contract.clock_error_max_ms)}</Fact>
        <Fact name="Retention">
          {contract.retention_ms === null ? "not promised" : formatLength(contract.retention_ms)}
        </Fact>
        <Fact name="Blind to">{contract.blind_spots}</Fact>
      </dl>
    </details>
  );
}
