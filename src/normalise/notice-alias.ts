import { createHmac } from "node:crypto";
import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { TenantKey } from "../model/tenant.ts";

/** What one tenant calls a place of the provider's. */
export type AliasOf = (tenant: TenantKey, place: EntityRef) => string;

const digits = 8;

/**
 * A word for the place that is the same for this tenant each time, different for every other tenant, and that nobody
 * without the key can lead back to a name, however many names are tried. Nova's `hostId` is the same idea without a
 * key. `key` has 32 bytes.
 */
export function createAliaser(key: Uint8Array): AliasOf {
  return (tenant, place) => {
    const mac = createHmac("sha256", key).update(JSON.stringify([tenant, entityKey(place)]));
    return `part-${mac.digest("hex").slice(0, digits)}`;
  };
}
