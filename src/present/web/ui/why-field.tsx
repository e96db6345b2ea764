import { useLayoutEffect, useId, useRef } from "preact/hooks";

const charsMax = 500;

/** The reason that every decision is recorded with. */
export function WhyField(props: {
  value: string;
  onChange: (value: string) => void;
  hint: string;
  focused?: boolean;
}) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const { focused = false } = props;
  useLayoutEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  return (
    <div class="field">
      <label>
        <span class="field-name">Why</span>
        <input
          ref={field}
          class="wide-input"
          value={props.value}
          maxLength={charsMax}
          required
          autocomplete="off"
          aria-describedby={`${id}-hint`}
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      </label>
      <p id={`${id}-hint`} class="hint">
        {props.hint}
      </p>
    </div>
  );
}

export function isReason(text: string): boolean {
  return text.trim() !== "";
}
