import { useId, useRef, useState } from "preact/hooks";

/** What the form asks for; a domain is told by its name. */
export interface KeystoneEntry {
  readonly user: string;
  readonly user_domain: string;
  readonly password: string;
}

/** Signs in with a Keystone user's name, domain and password. */
export function KeystoneForm(props: {
  readonly title: string;
  readonly userDomain: string;
  readonly busy: boolean;
  readonly onEnter: (entry: KeystoneEntry) => void;
}) {
  const { title, userDomain, busy, onEnter } = props;
  const id = useId();
  const password = useRef<HTMLInputElement>(null);
  const [entry, setEntry] = useState<KeystoneEntry>({ user: "", user_domain: userDomain, password: "" });
  const isWhole = entry.user.trim() !== "" && entry.user_domain.trim() !== "" && entry.password !== "";
  const field = (
    name: keyof KeystoneEntry,
    label: string,
    autocomplete: "username" | "organization" | "current-password",
  ) => {
    const own = {
      id: `${id}-${name}`,
      name,
      autocomplete,
      spellcheck: false,
      required: true,
      value: entry[name],
      onInput: (event: { currentTarget: HTMLInputElement }) =>
        setEntry({ ...entry, [name]: event.currentTarget.value }),
    };
    return (
      <div class="sign-in-field">
        <label for={own.id}>{label}</label>
        {name === "password" ? (
          <input {...own} ref={password} type="password" />
        ) : (
          <input {...own} type="text" />
        )}
      </div>
    );
  };
  return (
    <form
      class="sign-in"
      aria-labelledby={`${id}-title`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWhole || busy) return;
        onEnter({ ...entry, user: entry.user.trim(), user_domain: entry.user_domain.trim() });
        setEntry({ ...entry, password: "" });
        // The button goes dead without a password, and would take the keyboard's place with it.
        password.current?.focus();
      }}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      {field("user", "User name", "username")}
      {field("user_domain", "Domain", "organization")}
      {field("password", "Password", "current-password")}
      <button type="submit" class="control primary large" disabled={!isWhole || busy}>
        {busy ? "Signing in…" : `Sign in with ${title}`}
      </button>
      <p class="hint">All projects that you have a role in are shown together.</p>
    </form>
  );
}
