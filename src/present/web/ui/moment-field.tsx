import { useState } from "preact/hooks";
import { preferredZone } from "../state/preferences.ts";
import { goTo } from "../state/route.ts";
import { readTime } from "../time/typed-time.ts";
import { formatMoment } from "../time/zone.ts";

/** A moment of the address: as of when it is shown, or by what was known when; empty where that is now. */
export function MomentField({
  name,
  label,
  at,
}: {
  name: "at" | "known_at";
  label: string;
  at: number | undefined;
}) {
  const zone = preferredZone.value;
  const [text, setText] = useState(at === undefined ? "" : formatMoment(at, zone));
  const read = readTime(text.trim() === "" ? "now" : text, zone, at ?? Date.now());
  return (
    <form
      class="as-of"
      onSubmit={(event) => {
        event.preventDefault();
        if (!read.ok) return;
        const ms = read.time.kind === "absolute" ? read.time.ms : Date.now() + read.time.ms;
        const query = new URLSearchParams(location.search);
        if (text.trim() === "") query.delete(name);
        else query.set(name, new Date(ms).toISOString());
        goTo(`${location.pathname}?${query.toString()}`);
      }}
    >
      <input
        aria-label={label}
        value={text}
        placeholder="now"
        spellcheck={false}
        aria-invalid={!read.ok}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="control" disabled={!read.ok}>
        Show<span class="visually-hidden"> {label.toLowerCase()}</span>
      </button>
      {!read.ok && <span class="hint problem">{read.problem}</span>}
    </form>
  );
}
