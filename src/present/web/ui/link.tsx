import type { ComponentChildren } from "preact";
import { goTo } from "../state/route.ts";

/** A link within these pages: no reload, but every browser habit (new tab, copy, middle click) stays. */
export function Link(props: {
  href: string;
  class?: string;
  current?: boolean;
  title?: string;
  children: ComponentChildren;
}) {
  const { href, children, current } = props;
  return (
    <a
      href={href}
      class={props.class}
      title={props.title}
      aria-current={current === true ? "page" : undefined}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
          return;
        event.preventDefault();
        goTo(href);
      }}
    >
      {children}
    </a>
  );
}
