/** How much is tried: a share that a continuous check has time for, or all that is promised. */
export type Size = "short" | "full";

/** What a part of the isolation suite tells its counts to. */
export interface Report {
  /** `wrong` of `tried` were not as they have to be; the detail says which, or how the count came about. */
  count(name: string, tried: number, wrong: number, detail?: string): void;
}

/** A part of the suite, as each module of a part exports it. */
export interface Part {
  run(report: Report, size: Size): Promise<void>;
}

export interface Count {
  readonly name: string;
  readonly tried: number;
  readonly wrong: number;
  readonly detail?: string;
}

/** Keeps the counts of one part. */
export class Counts implements Report {
  readonly all: Count[] = [];

  count(name: string, tried: number, wrong: number, detail?: string): void {
    this.all.push({ name, tried, wrong, ...(detail === undefined ? {} : { detail }) });
  }

  get tried(): number {
    return this.all.reduce((sum, count) => sum + count.tried, 0);
  }

  get wrong(): number {
    return this.all.reduce((sum, count) => sum + count.wrong, 0);
  }
}
