const charsMax = 1_000;
const somewhere = "http://isochron.invalid";

/** A path of these pages to go to after a sign-in; `/` for whatever leads, or could be read as leading, elsewhere. */
export function returnPath(asked: string | undefined): string {
  if (asked === undefined || asked.length > charsMax || !/^\/[\x21-\x7e]*$/.test(asked)) return "/";
  // Browsers take a backslash for a slash, and two slashes for another host.
  if (/\\/.test(asked) || asked.startsWith("//") || !URL.canParse(asked, somewhere)) return "/";
  const { origin, pathname, search, hash } = new URL(asked, somewhere);
  if (origin !== somewhere || pathname.startsWith("//") || pathname.startsWith("/api/")) return "/";
  return pathname + search + hash;
}
