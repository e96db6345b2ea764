/** The largest text that is decoded as one piece, in bytes of UTF-8 (or UTF-16 units of a string). */
export const textBytesMax = 8 * 1024 * 1024;

/** How deep JSON may be nested when it arrives; OpenStack's deepest documented payload has 14 levels. */
export const jsonDepthMax = 32;

/** How many items one JSON list may hold when it arrives. */
export const jsonItemsMax = 10_000;

/** How many keys one JSON object may hold when it arrives. */
export const jsonKeysMax = 1_000;

/** The longest spelling of a time that is looked at. */
export const timeCharsMax = 64;

/** How far ahead of its arrival a record may claim to lie before its clock is called suspect, in milliseconds. */
export const futureMsMax = 5 * 60_000;

/** The widest precision that is kept, in milliseconds: what a 32-bit column holds, 24 days. */
export const precisionMsMax = 2_147_483_647;

export const summaryCharsMax = 1_024;
export const nameCharsMax = 512;

/** The longest id that is kept; a longer one is refused, because a cut id would name something else. */
export const idCharsMax = 512;

/** The longest key that is kept as it is; a longer one is replaced by its SHA-256. */
export const keyCharsMax = 512;

export const sourceIdsMax = 200;
export const relatedMax = 200;
export const changesMax = 100;

/** How long a changed field's name may be where the changes have to share the room. */
export const changedFieldCharsMax = 128;

/** How much JSON an event's details, or its list of changes, may take in the store. */
export const detailsBytesMax = 64 * 1024;
export const detailsDepthMax = 32;

/** How many values of the details are looked at; it bounds the work on values that refer to each other. */
export const detailsNodesMax = 20_000;

/** How many events and facts one record may give. */
export const recordEventsMax = 5_000;
export const recordFactsMax = 20_000;
