import { InvalidArgumentError } from "commander";

/** A whole number of 1 or more, as an option's value. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count > 0) return count;
  throw new InvalidArgumentError("Write a whole number of 1 or more.");
}
