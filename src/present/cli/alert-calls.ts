import type { z } from "zod";
import {
  alertGroupSchema,
  alertSplitSchema,
  alertsSchema,
  undoneSplitSchema,
  type AlertGroupJson,
  type AlertsJson,
  type AlertSplitJson,
  type splitAlertSchema,
  type undoSplitSchema,
} from "../api/alert-contract.ts";
import {
  maintenanceSchema,
  workWindowSchema,
  type MaintenanceJson,
  type planMaintenanceSchema,
  type WorkWindowJson,
} from "../api/maintenance-contract.ts";

/** Query parameters; undefined ones are left out. */
type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** How the API is asked: answers are checked against the schema, and handed on exactly as they came. */
export interface Calls {
  get<Schema extends z.ZodType>(path: string, query: Query, schema: Schema): Promise<z.infer<Schema>>;
  send<Schema extends z.ZodType>(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.infer<Schema>>;
}

/** The part of the HTTP contract that is about alerts and planned work. */
export interface AlertCalls {
  list(query: Query): Promise<AlertsJson>;
  group(id: string, query: Query): Promise<AlertGroupJson>;
  split(order: z.input<typeof splitAlertSchema>): Promise<AlertSplitJson>;
  join(id: string, order: z.input<typeof undoSplitSchema>): Promise<z.infer<typeof undoneSplitSchema>>;
  work(query: Query): Promise<MaintenanceJson>;
  planWork(work: z.input<typeof planMaintenanceSchema>): Promise<WorkWindowJson>;
  cancelWork(id: string, why: string | undefined): Promise<WorkWindowJson>;
}

export function alertCalls({ get, send }: Calls): AlertCalls {
  return {
    list: (query) => get("/alerts", query, alertsSchema),
    group: (id, query) => get(`/alerts/${encodeURIComponent(id)}`, query, alertGroupSchema),
    split: (order) => send("POST", "/alerts/splits", alertSplitSchema, order),
    join: (id, order) =>
      send("POST", `/alerts/splits/${encodeURIComponent(id)}/undoing`, undoneSplitSchema, order),
    work: (query) => get("/maintenance", query, maintenanceSchema),
    planWork: (work) => send("POST", "/maintenance", workWindowSchema, work),
    cancelWork: (id, why) => {
      const query = why === undefined ? "" : `?${new URLSearchParams({ why })}`;
      return send("DELETE", `/maintenance/${encodeURIComponent(id)}${query}`, workWindowSchema);
    },
  };
}
