import type { Frame, Stack } from "./evidence-stack.ts";

/**
 * How an error points at its origin. `raised`: the innermost call did it. `value`: a call used a value that was not what
 * it should be, which a call that had returned before may have given. `argument`: a call was handed something wrong by
 * those above it.
 */
export type Blame = "raised" | "value" | "argument";

const wrongValue =
  /NoneType|NullPointerException|KeyError|IndexError|is not iterable|has no attribute|not subscriptable|__getitem__|cannot unpack|(?:undefined|null) \(reading|of (?:undefined|null)\b|is not a function/i;

/** The attributes of oslo.context's RequestContext and of the services' own: callers hand it down from call to call. */
const wrongArgument =
  /request context|attribute '(?:auth_token|to_dict|elevated|project_id|user_id|is_admin|service_catalog|session|read_deleted|to_policy_values|can|request_id|tenant_id|tenant|quota_class)'/i;

/** Calls that only wrap the one that they decorate, or raise again what came to them. */
const wrapping = new Set([
  "wrapper",
  "_wrapper",
  "wrapped",
  "inner",
  "decorated_function",
  "helper",
  "f",
  "_synchronized",
  "__call__",
  "__exit__",
  "force_reraise",
  "reraise",
]);

/** Calls that look at what they were given, and complain of it. */
const checking =
  /^_?(?:is|check|require|validate|assert|ensure|verify)_|^_?(?:check|require|validate|assert|ensure|verify)$/;

/** Files that pass on what callers give them: stubs of remote calls, and small tools. */
const passing =
  /(?:^|\/)(?:rpcapi|rpc|utils|util|helpers|processutils|coordination|service|context|client)\.[a-z]+$/;

export function blameOf(exception: string): Blame {
  if (wrongArgument.test(exception)) return "argument";
  return wrongValue.test(exception) ? "value" : "raised";
}

/** The layers that a service is built of: what keeps its data, what turns rows into objects, what others call, the rest. */
export type Layer = "data" | "object" | "tool" | "entry";

/** A folder of this name, or a file whose name ends in it. */
const tool =
  /(?:^|\/)(?:drivers?|utils?|types?|common|images?|libs?|clients?|virt|db)\/|(?:^|[/_])(?:drivers?|utils?|types?|cache|quota)\.[a-z]+$/;

/** Reads the layer off the names of a file's folders, as OpenStack's services name them. */
export function layerOf(file: string): Layer {
  const inside = file.slice(file.indexOf("/") + 1);
  if (/^db\/(?:api\.|sqlalchemy\/)/.test(inside) || /(?:^|\/)(?:dao|repositor(?:y|ies))\//.test(inside))
    return "data";
  if (/(?:^|\/)(?:objects|models)(?:\/|\.)/.test(inside)) return "object";
  return tool.test(inside) ? "tool" : "entry";
}

/**
 * The files of a stack, the likeliest origin first: innermost before outer, without what only wraps or checks, and with
 * what was only handed the fault at the end. Each file once.
 */
export function orderFiles({ frames }: Stack, blame: Blame): readonly Frame[] {
  const own = [...frames];
  while (own.length > 1 && (wrapping.has(own.at(-1)!.function) || checking.test(own.at(-1)!.function)))
    own.pop();
  const files: Frame[] = [];
  for (const frame of own.toReversed()) {
    const known = files.some(({ file }) => file === frame.file);
    if (!known && !wrapping.has(frame.function)) files.push(frame);
  }
  const handed: Frame[] = [];
  if (files.length > 1 && passing.test(files[0]!.file)) handed.push(files.shift()!);
  if (blame !== "argument") return [...files, ...handed];
  const above = files.filter(({ file }) => layerOf(file) !== "data");
  const data = files.filter(({ file }) => layerOf(file) === "data");
  if (above.length > 0 && data.length > 0) return [...above, ...handed, ...data];
  const [victim, caller, ...rest] = files;
  if (handed.length > 0 || victim === undefined || caller === undefined) return [...files, ...handed];
  return [caller, victim, ...rest];
}
