import type { SqlValue, TableRow } from "../../src/sources/source.ts";

type Value = string | null | boolean | readonly Value[];
type Term = (row: TableRow, values: readonly SqlValue[]) => Value;

/** A SELECT over one table in PostgreSQL's words, as far as the `sql` source speaks them. */
export interface SelectStatement {
  readonly table: string;
  run(rows: readonly TableRow[], values: readonly SqlValue[]): readonly TableRow[];
}

const known = new Map<string, SelectStatement>();

/** Throws for any word that it does not know, so that no statement is misread in silence. */
export function parseSelect(text: string): SelectStatement {
  const parsed = known.get(text) ?? new Parser(text).select();
  known.set(text, parsed);
  return parsed;
}

const tokenForm = /\s*(?:"([^"]+)"|'([^']*)'|(\$\d+)|(\d+)|([A-Za-z_]+)|(<=|>=|<>|[<>=(),]))/y;

class Parser {
  readonly #text: string;
  readonly #tokens: {
    readonly kind: "name" | "text" | "value" | "number" | "word";
    readonly text: string;
  }[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    tokenForm.lastIndex = 0;
    while (tokenForm.lastIndex < text.length) {
      const match = tokenForm.exec(text);
      if (match === null) throw new SyntaxError(`the model does not know this SQL: ${text}`);
      const [, name, quoted, value, number, word, sign] = match;
      if (name !== undefined) this.#tokens.push({ kind: "name", text: name });
      else if (quoted !== undefined) this.#tokens.push({ kind: "text", text: quoted });
      else if (value !== undefined) this.#tokens.push({ kind: "value", text: value });
      else if (number !== undefined) this.#tokens.push({ kind: "number", text: number });
      else this.#tokens.push({ kind: "word", text: (word ?? sign ?? "").toUpperCase() });
    }
  }

  select(): SelectStatement {
    this.#expect("SELECT");
    const columns = this.#list(() => {
      const name = this.#tokens[this.#at];
      const term = this.#operand();
      return { term, name: this.#takes("AS") ? this.#take("name") : (name?.text ?? "") };
    });
    this.#expect("FROM");
    const table = this.#take("name");
    const where = this.#takes("WHERE") ? this.#any() : () => true;
    const order = this.#takes("ORDER") && this.#expect("BY") ? this.#list(() => this.#operand()) : [];
    const limit = this.#takes("LIMIT") ? Number(this.#take("number")) : Number.POSITIVE_INFINITY;
    if (this.#at < this.#tokens.length) this.#fail();
    return {
      table,
      run: (rows, values) =>
        rows
          .filter((row) => where(row, values) === true)
          .toSorted((a, b) => {
            const sides = [a, b].map((row) => order.map((term) => term(row, values)));
            return compare(sides[0]!, sides[1]!) ?? 0;
          })
          .slice(0, limit)
          .map((row) =>
            Object.fromEntries(columns.map(({ name, term }) => [name, asText(term(row, values))])),
          ),
    };
  }

  #any(): Term {
    const terms = [this.#all()];
    while (this.#takes("OR")) terms.push(this.#all());
    return terms.length === 1 ? terms[0]! : (row, values) => terms.some((term) => term(row, values) === true);
  }

  #all(): Term {
    const terms = [this.#comparison()];
    while (this.#takes("AND")) terms.push(this.#comparison());
    return terms.length === 1
      ? terms[0]!
      : (row, values) => terms.every((term) => term(row, values) === true);
  }

  #comparison(): Term {
    const left = this.#operand();
    if (this.#takes("IS")) {
      const negated = this.#takes("NOT");
      this.#expect("NULL");
      return (row, values) => (left(row, values) === null) !== negated;
    }
    if (this.#takes("BETWEEN")) {
      const from = this.#operand();
      this.#expect("AND");
      const to = this.#operand();
      return (row, values) => {
        const value = left(row, values);
        return (compare(value, from(row, values)) ?? -1) >= 0 && (compare(value, to(row, values)) ?? 1) <= 0;
      };
    }
    if (this.#takes("IN")) {
      this.#expect("(");
      const list = this.#list(() => this.#operand());
      this.#expect(")");
      return (row, values) => list.some((item) => compare(left(row, values), item(row, values)) === 0);
    }
    for (const [sign, holds] of Object.entries(signs)) {
      if (!this.#takes(sign)) continue;
      const right = this.#operand();
      return (row, values) => {
        const order = compare(left(row, values), right(row, values));
        return order !== undefined && holds(order);
      };
    }
    return left;
  }

  #operand(): Term {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token?.kind === "name") {
      return (row) => {
        const value = row[token.text];
        if (value === undefined) throw new Error(`column "${token.text}" does not exist`);
        return value;
      };
    }
    if (token?.kind === "text" || token?.kind === "number") return () => token.text;
    if (token?.kind === "value") {
      const place = Number(token.text.slice(1)) - 1;
      return (_row, values) => (values[place] == null ? null : String(values[place]));
    }
    if (token?.text === "(") {
      const parts = this.#list(() => this.#any());
      this.#expect(")");
      return parts.length === 1 ? parts[0]! : (row, values) => parts.map((part) => part(row, values));
    }
    if (token?.text === "GREATEST") {
      this.#expect("(");
      const parts = this.#list(() => this.#operand());
      this.#expect(")");
      return (row, values) => {
        const present = parts.map((part) => part(row, values)).filter((value) => value !== null);
        return present.reduce<Value>((best, one) => ((compare(one, best) ?? 1) > 0 ? one : best), null);
      };
    }
    if (token?.text === "CASE") return this.#choice();
    return this.#fail();
  }

  #choice(): Term {
    this.#expect("WHEN");
    const condition = this.#any();
    this.#expect("THEN");
    const yes = this.#operand();
    this.#expect("ELSE");
    const no = this.#operand();
    this.#expect("END");
    return (row, values) => (condition(row, values) === true ? yes(row, values) : no(row, values));
  }

  #list<Item>(read: () => Item): Item[] {
    const items = [read()];
    while (this.#takes(",")) items.push(read());
    return items;
  }

  #takes(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word" || token.text !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(word: string): true {
    return this.#takes(word) || this.#fail();
  }

  #take(kind: "name" | "number"): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind) return this.#fail();
    this.#at += 1;
    return token.text;
  }

  #fail(): never {
    throw new SyntaxError(`the model does not know this SQL near token ${this.#at}: ${this.#text}`);
  }
}

const signs: Readonly<Record<string, (order: number) => boolean>> = {
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  "<>": (order) => order !== 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
  "=": (order) => order === 0,
};

/** Undefined where NULL makes the answer unknown. Digits are numbers, everything else is text of one spelling. */
function compare(a: Value, b: Value): number | undefined {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (const [index, one] of a.entries()) {
      const order = compare(one as Value, b[index] as Value);
      if (order !== 0) return order;
    }
    return 0;
  }
  if (typeof a !== "string" || typeof b !== "string") return undefined;
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return Number(BigInt(a) - BigInt(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function asText(value: Value): string | null {
  return typeof value === "string" ? value : null;
}
