/**
 * Kinds whose owner can change (volume transfer, share and zone transfer, an image's new owner): what is only known from a
 * later moment proves nothing about an earlier one, and what one owner called such a thing is not the next one's to know.
 */
export const transferableKinds: ReadonlySet<string> = new Set([
  "volume",
  "snapshot",
  "backup",
  "image",
  "share",
  "zone",
]);
