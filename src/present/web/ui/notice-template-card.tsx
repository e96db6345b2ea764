import { useRef, useState } from "preact/hooks";
import type { NoticeTemplateJson, NoticeTemplatesJson } from "../../api/tenancy-contract.ts";
import { announce } from "../state/announcer.ts";
import { sentenceCase } from "../state/grouping.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { NoticeTemplateEditor } from "./notice-template-editor.tsx";

/** One situation: when a notice is made, how it reads, and who changed the text last. */
export function NoticeTemplateCard(props: {
  template: NoticeTemplateJson;
  all: NoticeTemplatesJson;
  reread: () => void;
}) {
  const { template } = props;
  const [editing, setEditing] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const id = `notice-${template.name}`;
  const close = (saved: string | undefined) => {
    setEditing(false);
    if (saved !== undefined) {
      announce(saved);
      props.reread();
    }
    // The button comes back only with the next drawing.
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <li class="card notice-template" aria-labelledby={id}>
      <header>
        <h2 id={id}>{sentenceCase(template.name)}</h2>
        {template.edited && <span class="tag">edited</span>}
        <span class="dim">{template.situation}</span>
      </header>
      {!editing && (
        <>
          <blockquote class="sample">{template.sample}</blockquote>
          <p class="card-foot">
            {decides.value && (
              <button type="button" class="control" ref={opener} onClick={() => setEditing(true)}>
                Edit<span class="visually-hidden"> {sentenceCase(template.name)}</span>
              </button>
            )}
            <span class="dim">{changedWords(template)}</span>
          </p>
        </>
      )}
      {editing && (
        <NoticeTemplateEditor template={template} all={props.all} reread={props.reread} close={close} />
      )}
    </li>
  );
}

function changedWords({ changed, edited }: NoticeTemplateJson): string {
  if (changed === null) return "As it comes with the program.";
  const at = formatMoment(Date.parse(changed.at), preferredZone.value);
  return `${edited ? "Changed" : "Set back to the shipped text"} ${at} by ${changed.by}: ${changed.why}`;
}
