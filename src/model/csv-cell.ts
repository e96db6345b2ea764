/**
 * A cell after RFC 4180. A leading `'` keeps spreadsheets from taking foreign text for a formula, also behind what some
 * of them pass over: blanks, line breaks, a byte order mark, marks without width (OWASP, CSV Injection).
 */
export function csvCell(text: string): string {
  const guarded = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

const formula = /^[\s\0\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[=+\-@|%＝＋－＠]|^[\t\r\n]/u;
