/** A count with its thousands set apart. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}
