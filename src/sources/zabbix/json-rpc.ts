import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { joinUrl, nameRequest } from "../http-settings.ts";
import { asObject, asText } from "../json-fields.ts";
import { readJsonAnswer } from "../json-answer.ts";
import type { SourceIo } from "../source.ts";

/** Calls a method of the API. Throws `source-denied`, `source-unavailable` or `source-malformed`. */
export type ZabbixCall = (method: string, parameters: Json) => Promise<Json>;

export interface ZabbixAccess {
  readonly url: string;
  /** Reference of the API token. */
  readonly token: string;
}

/**
 * The frontend's JSON-RPC 2.0 interface. Zabbix 6.4 and later take the token as a header; versions before as a
 * member of the request, which 7.2 no longer knows.
 */
export async function openZabbix(access: ZabbixAccess, io: SourceIo): Promise<ZabbixCall> {
  const token = io.secret(access.token);
  const version = asText(await request(access, "apiinfo.version", [], {}, io));
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (major === undefined || minor === undefined) {
    throw malformed(access, "tells no version");
  }
  const byHeader = Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 4);
  return (method, parameters) =>
    request(access, method, parameters, byHeader ? { header: token } : { member: token }, io);
}

interface TokenPlace {
  readonly header?: string;
  readonly member?: string;
}

async function request(
  access: ZabbixAccess,
  method: string,
  parameters: Json,
  place: TokenPlace,
  io: SourceIo,
): Promise<Json> {
  const answer = await io.http({
    method: "POST",
    // Only methods that read are called.
    repeatable: true,
    url: addressOf(access),
    headers: {
      "content-type": "application/json-rpc",
      ...(place.header !== undefined && { authorization: `Bearer ${place.header}` }),
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      method,
      params: parameters,
      id: 1,
      ...(place.member !== undefined && { auth: place.member }),
    }),
  });
  const body = asObject(readJsonAnswer(answer, nameRequest("POST", addressOf(access))));
  const error = asObject(body?.["error"]);
  if (error !== undefined) throw refusal(access, method, error, place);
  const result = body?.["result"];
  if (result === undefined) throw malformed(access, `answers ${method} without a result`);
  return result;
}

function addressOf({ url }: ZabbixAccess): string {
  return url.endsWith(".php") ? url : joinUrl(url, "api_jsonrpc.php");
}

/** The API has no code for a refused token: -32602 and -32500 say it in words (English whatever the user's language). */
function refusal(access: ZabbixAccess, method: string, error: JsonObject, place: TokenPlace): IsochronError {
  const secret = place.header ?? place.member ?? "";
  const words = [error["message"], error["data"]].filter((part) => typeof part === "string").join(" ");
  const said = (secret === "" ? words : words.replaceAll(secret, "…")).slice(0, 300);
  if (/not authori[sz]ed|re-login|session terminated|no permissions|api token/i.test(words)) {
    return new IsochronError(
      "source-denied",
      `Zabbix refused ${method}: ${said}`,
      "Check the API token, its expiry, and the role and host groups of its user.",
    );
  }
  const code = error["code"] === -32603 || error["code"] === 1 ? "source-unavailable" : "source-malformed";
  return new IsochronError(
    code,
    `${nameRequest("POST", addressOf(access))} answered ${method} with an error: ${said}`,
    "Check the frontend, its database and its version.",
  );
}

function malformed(access: ZabbixAccess, what: string): IsochronError {
  return new IsochronError(
    "source-malformed",
    `${nameRequest("POST", addressOf(access))} ${what}.`,
    "Check that the address is that of Zabbix's frontend, where `api_jsonrpc.php` lies.",
  );
}
