import { useEffect, useRef } from "preact/hooks";
import { helpOpen, ownCommands } from "../state/commands.ts";
import { shortcutsOn } from "../state/preferences.ts";
import { Glyph, kindWords } from "./glyph.tsx";
import { eventKinds, type EventKind } from "../../../model/event.ts";

const keyNames: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  "-": "−",
};

const kindMeanings: Readonly<Record<EventKind, string>> = {
  change: "somebody or something altered the estate",
  symptom: "something hurts",
  recovery: "it stopped hurting",
  human: "a person decided, wrote or asked",
  activity: "routine work",
};

export function HelpSheet() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open && dialog.current?.open === true) dialog.current.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="help-title"
      onClose={() => void (helpOpen.value = false)}
    >
      <header>
        <h2 id="help-title">Keys and signs</h2>
        <button type="button" class="control" onClick={() => void (helpOpen.value = false)}>
          Close
        </button>
      </header>
      <div class="sheet-columns">
        <Keys />
        <div>
          <Signs />
          <label class="check">
            <input
              type="checkbox"
              checked={shortcutsOn.value}
              onChange={(event) => void (shortcutsOn.value = event.currentTarget.checked)}
            />
            Single-key shortcuts
          </label>
        </div>
      </div>
    </dialog>
  );
}

function Keys() {
  return (
    <dl class="keys">
      {ownCommands.value.map((command) => (
        <div key={command.says}>
          <dt>
            {command.keys.map((key) => (
              <kbd key={key}>{keyNames[key] ?? key}</kbd>
            ))}
          </dt>
          <dd>{command.says}</dd>
        </div>
      ))}
    </dl>
  );
}

function Signs() {
  return (
    <dl class="signs">
      {eventKinds.map((kind) => (
        <div key={kind}>
          <dt>
            <Glyph kind={kind} /> {kindWords[kind]}
          </dt>
          <dd>{kindMeanings[kind]}</dd>
        </div>
      ))}
      <div>
        <dt>
          <Glyph kind="symptom" critical /> Ring
        </dt>
        <dd>critical; never folded away</dd>
      </div>
      <div>
        <dt>
          <span class="hatch-sample" aria-hidden="true" /> Hatched
        </dt>
        <dd>unknown, not quiet: no source vouches for this time</dd>
      </div>
      <div>
        <dt>Pale tail</dt>
        <dd>the time is known only that well</dd>
      </div>
      <div>
        <dt>Boxed number</dt>
        <dd>that many marks in that span; click zooms</dd>
      </div>
    </dl>
  );
}
