/** One named part of a score, with what it says to a person; empty where it is not worth saying. */
export interface Addend {
  readonly name: string;
  /** In natural logarithms of odds; the score is the sum. */
  readonly value: number;
  readonly says: string;
}
