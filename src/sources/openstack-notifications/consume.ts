import type { StreamSource } from "../source.ts";

export const consumeNotifications: StreamSource["consume"] = async () => {};
