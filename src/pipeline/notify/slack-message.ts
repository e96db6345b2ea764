import { headlineOf, type NotificationMessage, type SpelledEvent, type WrittenMessage } from "./message.ts";

/** Slack cuts or refuses longer texts. */
const textCharsMax = 2_900;

/**
 * An incoming webhook's message as Slack (api.slack.com/messaging/webhooks) and those that copy it take it. What
 * events say is text and nothing else: the three characters that begin links, mentions and broadcasts are written as
 * Slack asks, in plain text, with parsing and previews off.
 */
export function writeSlack(message: NotificationMessage): WrittenMessage {
  const headline = headlineOf(message);
  const lines = message.events.length > 1 || message.more > 0 ? message.events.map(lineOf) : [];
  const blocks = [plainSection(headline), ...lines.map(plainSection)];
  const body = {
    text: escape(headline),
    mrkdwn: false,
    parse: "none",
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      ...blocks,
      {
        type: "context",
        elements: [
          { type: "plain_text", emoji: false, text: escape(`${message.rule.name} · ${message.id}`) },
        ],
      },
    ],
  };
  return { contentType: "application/json", body: JSON.stringify(body) };
}

function plainSection(text: string) {
  return { type: "section", text: { type: "plain_text", emoji: false, text: escape(text) } };
}

function lineOf({ occurredAt, severity, summary, type }: SpelledEvent): string {
  return `${new Date(occurredAt).toISOString().slice(0, 19).replace("T", " ")} UTC · ${severity} · ${summary.trim() || type}`;
}

/** Cut by what is sent, and never inside of what stands for one character. */
function escape(text: string): string {
  let written = "";
  for (const sign of text) {
    const next = entities[sign] ?? sign;
    if (written.length + next.length > textCharsMax) return `${written}…`;
    written += next;
  }
  return written;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
