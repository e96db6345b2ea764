import type { z } from "zod";
import {
  deliveriesSchema,
  deliverySchema,
  newRuleSchema,
  replayedSchema,
  ruleSchema,
  rulesSchema,
  type CreateRuleJson,
  type DeliveriesJson,
  type DeliveryJson,
  type EditRuleJson,
  type NewRuleJson,
  type RuleJson,
  type RulesJson,
} from "../api/notification-contract.ts";

/** How requests are made below the API's prefix; answers are checked against their schemas. */
export interface RuleRequests {
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>>;
  send<Schema extends z.ZodType>(
    method: "POST" | "PUT",
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.infer<Schema>>;
}

/** The contract's part about notification rules, as functions. */
export class NotificationClient {
  readonly #requests: RuleRequests;

  constructor(requests: RuleRequests) {
    this.#requests = requests;
  }

  list(): Promise<RulesJson> {
    return this.#requests.get("/notification-rules", rulesSchema);
  }

  find(id: string): Promise<RuleJson> {
    return this.#requests.get(pathOf(id), ruleSchema);
  }

  make(rule: CreateRuleJson): Promise<NewRuleJson> {
    return this.#requests.send("POST", "/notification-rules", newRuleSchema, rule);
  }

  edit(id: string, rule: EditRuleJson): Promise<RuleJson> {
    return this.#requests.send("PUT", pathOf(id), ruleSchema, rule);
  }

  test(id: string): Promise<DeliveryJson> {
    return this.#requests.send("POST", `${pathOf(id)}/test`, deliverySchema);
  }

  deliveries(id: string): Promise<DeliveriesJson> {
    return this.#requests.get(`${pathOf(id)}/deliveries`, deliveriesSchema);
  }

  replay(id: string, delivery: string | undefined): Promise<z.infer<typeof replayedSchema>> {
    const body = delivery === undefined ? {} : { delivery };
    return this.#requests.send("POST", `${pathOf(id)}/replay`, replayedSchema, body);
  }
}

function pathOf(id: string): string {
  return `/notification-rules/${encodeURIComponent(id)}`;
}
