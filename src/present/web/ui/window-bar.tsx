import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { copyLink, setZone } from "../state/commands.ts";
import { toggleLive, waitingCount } from "../state/live-stream.ts";
import { streamConnected } from "../state/stream-connection.ts";
import { session } from "../state/session.ts";
import { busy, changeView, now, range, reload, view } from "../state/timeline-state.ts";
import { announcement } from "../state/announcer.ts";
import { formatLength } from "../time/length.ts";
import { readTime, type ReadTime } from "../time/typed-time.ts";
import { browserZone, formatClock, formatDate, formatMoment, zoneName } from "../time/zone.ts";
import { Pick } from "./pick.tsx";
import { PopoverHolder } from "./popover-holder.tsx";

/** The window in words, presets and scenes, the zone, link and live. */
export function WindowBar() {
  const { live } = view.value;
  const waiting = waitingCount.value;
  const copied = announcement.value.startsWith("Link copied");
  return (
    <div class="window-bar">
      <ScenePick />
      <WindowButton />
      <ZonePick />
      <button
        type="button"
        class="control"
        onClick={() => void copyLink()}
        title="Copy a link with frozen times (Y)"
      >
        {copied ? "Copied, times frozen" : "Copy link"}
      </button>
      {live && waiting > 0 && (
        <button type="button" class="control pill" onClick={toggleLive}>
          {waiting} new <kbd>L</kbd>
        </button>
      )}
      <button
        type="button"
        class={`control${live ? " primary" : ""}`}
        aria-pressed={live}
        onClick={toggleLive}
        title="Follow the present (L)"
      >
        {live && !streamConnected.value ? "Live, reconnecting" : "Live"}
      </button>
      <button type="button" class="control quiet" onClick={reload} aria-busy={busy.value}>
        Reload
      </button>
    </div>
  );
}

function ScenePick() {
  const scenes = session.value?.scenes ?? [];
  if (scenes.length === 0) return null;
  const { from, to } = range.value;
  const current = scenes.findIndex((scene) => Date.parse(scene.from) < to && Date.parse(scene.to) > from);
  return (
    <Pick
      label="Scene"
      value={current === -1 ? "" : String(current)}
      onPick={(value) => {
        const scene = scenes[Number(value)];
        if (value === "" || scene === undefined) return;
        changeView({
          from: { kind: "absolute", ms: Date.parse(scene.from) },
          to: { kind: "absolute", ms: Date.parse(scene.to) },
          selected: undefined,
          elseOf: undefined,
          live: false,
        });
      }}
    >
      {current === -1 && <option value="">Choose a scene</option>}
      {scenes.map((scene, index) => (
        <option key={scene.title} value={String(index)}>
          {scene.title}
        </option>
      ))}
    </Pick>
  );
}

function WindowButton() {
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  return (
    <PopoverHolder label="Window" open={open} close={close}>
      <button
        type="button"
        class="control window-button"
        aria-expanded={open}
        aria-controls="window-form"
        onClick={() => setOpen(!open)}
      >
        <WindowWords />
      </button>
      {open && <WindowForm done={close} />}
    </PopoverHolder>
  );
}

function WindowWords() {
  const { from, to } = range.value;
  const { zone } = view.value;
  const fine = to - from < 10_000 ? "ms" : "second";
  const sameDay = formatDate(from, zone) === formatDate(to, zone);
  return (
    <span class="window-words">
      <time>
        {formatDate(from, zone)} {formatClock(from, zone, fine)}
      </time>
      <span aria-hidden="true"> → </span>
      <span class="visually-hidden"> to </span>
      <time>
        {sameDay ? "" : `${formatDate(to, zone)} `}
        {formatClock(to, zone, fine)}
      </time>{" "}
      <span class="zone-word">{zoneName(from, zone)}</span>
      <span class="span-word">{formatLength(to - from)}</span>
    </span>
  );
}

const presets = [
  ["Last 15 min", 15],
  ["Last hour", 60],
  ["Last 6 h", 360],
  ["Last 24 h", 1440],
  ["Last 7 days", 10_080],
] as const;

function WindowForm({ done }: { done: () => void }) {
  const { zone } = view.value;
  const spell = (time: { kind: string; ms: number }, at: number) =>
    time.kind === "relative" && time.ms === 0 ? "now" : formatMoment(at, zone);
  const [from, setFrom] = useState(spell(view.value.from, range.value.from));
  const [to, setTo] = useState(spell(view.value.to, range.value.to));
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.select(), []);
  const readFrom = readTime(from, zone, range.value.from);
  const readTo = readTime(to, zone, range.value.to);
  const apply = (event: Event) => {
    event.preventDefault();
    if (!readFrom.ok || !readTo.ok) return;
    changeView({ from: readFrom.time, to: readTo.time, live: false });
    now.value = Date.now();
    done();
  };
  return (
    <form id="window-form" class="popover" onSubmit={apply}>
      <TimeField label="From" value={from} onChange={setFrom} read={readFrom} field={first} />
      <TimeField label="To" value={to} onChange={setTo} read={readTo} />
      <p class="hint">10:06 · 10:06 CEST · 2026-11-21 10:06 · -2h · now</p>
      <div class="popover-row">
        {presets.map(([label, minutes]) => (
          <button
            key={label}
            type="button"
            class="control quiet"
            onClick={() => {
              now.value = Date.now();
              changeView({
                from: { kind: "relative", ms: -minutes * 60_000 },
                to: { kind: "relative", ms: 0 },
                live: false,
              });
              done();
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <button type="submit" class="control primary" disabled={!readFrom.ok || !readTo.ok}>
        Show this window
      </button>
    </form>
  );
}

function TimeField(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  read: ReadTime;
  field?: { current: HTMLInputElement | null };
}) {
  const { read } = props;
  const id = `window-${props.label.toLowerCase()}`;
  return (
    <div class="time-field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        {...(props.field === undefined ? {} : { ref: props.field })}
        value={props.value}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={!read.ok}
        aria-describedby={`${id}-echo`}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      <p id={`${id}-echo`} class={read.ok ? "hint" : "hint problem"}>
        {read.ok ? (read.echo ?? "") : read.problem}
      </p>
    </div>
  );
}

const allZones = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];

function ZonePick() {
  const { zone } = view.value;
  const own = browserZone();
  return (
    <Pick label="Zone" value={zone} onPick={setZone}>
      <option value="UTC">UTC</option>
      {own !== "UTC" && <option value={own}>{own} (this browser)</option>}
      {zone !== "UTC" && zone !== own && <option value={zone}>{zone}</option>}
      <optgroup label="All zones">
        {allZones
          .filter((name) => name !== own && name !== zone && name !== "UTC")
          .map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </optgroup>
    </Pick>
  );
}
