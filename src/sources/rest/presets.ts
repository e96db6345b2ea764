import type { RestApi, RestApiText } from "./api-shape.ts";
import { restApi } from "./api-shape.ts";

/**
 * Request Tracker 5, REST 2. Dates of its query language are read in the time zone of the user who asks, whatever
 * zone they name; only relative ones mean the same everywhere.
 */
const requestTracker: RestApiText = {
  tickets: {
    path: "REST/2.0/tickets",
    query: {
      query: "LastUpdated >= '{since}' AND id > {after}{filter}",
      orderby: "id",
      order: "ASC",
      per_page: "{page_size}",
      fields: "Subject,Status,Created,LastUpdated,Resolved,Requestor,Queue",
      "fields[Queue]": "Name",
    },
    items: "items",
    paging: { by: "keyset", first: "0" },
  },
  since: "ago",
  filter: " AND ({filter})",
  fields: {
    id: "id",
    title: "Subject",
    created: "Created",
    status: "Status",
    resolved: "Resolved",
    requester: "Requestor.0.id",
    queue: ["Queue.Name", "Queue.id"],
  },
  url: "{base}/Ticket/Display.html?id={id}",
  history: {
    path: "REST/2.0/ticket/{id}/history",
    query: { per_page: "{page_size}", fields: "Type,Created,Creator,Field,OldValue,NewValue" },
    items: "items",
    paging: { by: "link", at: "next_page" },
    id: "id",
    at: "Created",
    actor: "Creator.id",
    match: [
      { when: { Type: "Status" }, means: "status" },
      { when: { Type: "Correspond" }, means: "comment" },
      { when: { Type: "Comment" }, means: "internal_comment" },
    ],
    from: "OldValue",
    to: "NewValue",
  },
  done: ["resolved", "rejected", "deleted"],
};

/** ServiceNow's Table API and its audit log; the account's time zone has to be GMT. */
const serviceNow: RestApiText = {
  tickets: {
    path: "api/now/table/{table}",
    query: {
      sysparm_query: "sys_updated_on>={since}^sys_id>{after}{filter}^ORDERBYsys_id",
      sysparm_limit: "{page_size}",
      sysparm_display_value: "false",
      sysparm_exclude_reference_link: "true",
      sysparm_fields:
        "sys_id,number,short_description,state,sys_created_on,sys_updated_on,resolved_at,closed_at,caller_id,company,assignment_group",
    },
    items: "result",
    paging: { by: "keyset", first: "0" },
  },
  since: "utc",
  naive_times: "utc",
  filter: "^{filter}",
  variables: { table: "incident" },
  fields: {
    id: "sys_id",
    number: "number",
    title: "short_description",
    created: "sys_created_on",
    status: "state",
    resolved: ["resolved_at", "closed_at"],
    requester: "caller_id",
    organisation: "company",
    queue: "assignment_group",
  },
  url: "{base}/nav_to.do?uri={table}.do?sys_id={id}",
  history: {
    path: "api/now/table/sys_audit",
    query: {
      sysparm_query:
        "tablename={table}^documentkey={id}^fieldnameINstate,comments,work_notes^sys_id>{after}^ORDERBYsys_id",
      sysparm_limit: "{page_size}",
      sysparm_fields: "sys_id,sys_created_on,user,fieldname,oldvalue,newvalue",
    },
    items: "result",
    paging: { by: "keyset", first: "0" },
    id: "sys_id",
    at: "sys_created_on",
    actor: "user",
    match: [
      { when: { fieldname: "state" }, means: "status" },
      { when: { fieldname: "comments" }, means: "comment" },
      { when: { fieldname: "work_notes" }, means: "internal_comment" },
    ],
    from: "oldvalue",
    to: "newvalue",
  },
  done: ["6", "7", "8"],
  status_words: {
    "1": "new",
    "2": "in progress",
    "3": "on hold",
    "6": "resolved",
    "7": "closed",
    "8": "canceled",
  },
};

/** Jira Cloud, REST 3. JQL reads dates in the user's time zone, so that a length of time is asked for instead. */
const jira: RestApiText = {
  tickets: {
    path: "rest/api/3/search/jql",
    query: {
      jql: 'updated >= "{since}"{filter} ORDER BY updated ASC',
      maxResults: "{page_size}",
      fields: "summary,status,created,updated,resolutiondate,reporter,project",
    },
    items: "issues",
    paging: { by: "cursor", at: "nextPageToken", parameter: "nextPageToken", last: "isLast" },
  },
  since: "minutes",
  precision_ms: 1,
  filter: " AND ({filter})",
  fields: {
    id: "id",
    number: "key",
    title: "fields.summary",
    created: "fields.created",
    status: "fields.status.name",
    resolved: "fields.resolutiondate",
    requester: ["fields.reporter.displayName", "fields.reporter.accountId"],
    queue: "fields.project.key",
  },
  url: "{base}/browse/{number}",
  history: {
    path: "rest/api/3/issue/{id}/changelog",
    query: { maxResults: "{page_size}" },
    items: "values",
    paging: { by: "link", at: "nextPage" },
    id: "id",
    at: "created",
    actor: ["author.displayName", "author.accountId"],
    changes: "items",
    match: [{ when: { field: "status" }, means: "status" }],
    from: "fromString",
    to: "toString",
  },
  done: ["Done", "Closed", "Resolved", "Canceled", "Cancelled", "Declined"],
};

/** Zendesk Support: the cursor-based incremental export and each ticket's audits. */
const zendesk: RestApiText = {
  tickets: {
    path: "api/v2/incremental/tickets/cursor.json",
    query: { start_time: "{since}", per_page: "{page_size}" },
    items: "tickets",
    paging: {
      by: "cursor",
      at: "after_cursor",
      parameter: "cursor",
      last: "end_of_stream",
      instead_of: ["start_time"],
    },
  },
  since: "epoch",
  fields: {
    id: "id",
    title: ["subject", "raw_subject"],
    created: "created_at",
    status: "status",
    requester: "requester_id",
    organisation: "organization_id",
    queue: "group_id",
  },
  url: "{base}/agent/tickets/{id}",
  history: {
    path: "api/v2/tickets/{id}/audits.json",
    query: { "page[size]": "{page_size}" },
    items: "audits",
    paging: { by: "cursor", at: "meta.after_cursor", parameter: "page[after]", more: "meta.has_more" },
    id: "id",
    at: "created_at",
    actor: "author_id",
    changes: "events",
    match: [
      { when: { type: "Change", field_name: "status" }, means: "status" },
      { when: { type: "Comment", public: true }, means: "comment" },
      { when: { type: "Comment", public: false }, means: "internal_comment" },
    ],
    from: "previous_value",
    to: "value",
  },
  done: ["solved", "closed", "deleted"],
};

export const presetNames = ["request-tracker", "servicenow", "jira", "zendesk"] as const;
export type PresetName = (typeof presetNames)[number];

/** The ticket systems that are described already; a configuration may describe another one in the same words. */
export const presets: Readonly<Record<PresetName, RestApi>> = {
  "request-tracker": restApi.parse(requestTracker),
  servicenow: restApi.parse(serviceNow),
  jira: restApi.parse(jira),
  zendesk: restApi.parse(zendesk),
};
