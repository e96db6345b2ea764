import { computed } from "@preact/signals";
import { shortId } from "./grouping.ts";
import { tenantNames } from "./session.ts";
import { loaded } from "./timeline-state.ts";

interface NamedEntity {
  readonly kind: string;
  readonly id: string;
  readonly name?: string | undefined;
}

/** Names by `kind:id`, from wherever a loaded event tells them: ids identify, names only decorate. */
const entityNames = computed<ReadonlyMap<string, string>>(() => {
  const names = new Map<string, string>();
  const learn = (entity: NamedEntity) => {
    if (entity.name !== undefined && entity.name !== "")
      names.set(`${entity.kind}:${entity.id}`, entity.name);
  };
  for (const event of loaded.value?.events ?? []) {
    learn(event.subject);
    event.related.forEach(learn);
  }
  return names;
});

/** What people call it, as far as that is known; else the beginning of its id. */
export function nameEntity(entity: NamedEntity): string {
  if (entity.name !== undefined && entity.name !== "") return entity.name;
  const { domains, projects } = tenantNames.value;
  const tenant =
    entity.kind === "project"
      ? projects.get(entity.id)
      : entity.kind === "domain"
        ? domains.get(entity.id)
        : undefined;
  return tenant ?? entityNames.value.get(`${entity.kind}:${entity.id}`) ?? shortId(entity.id);
}
