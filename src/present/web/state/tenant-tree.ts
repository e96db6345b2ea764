import type { TenantTreeJson } from "../../api/tenancy-contract.ts";
import { shortId } from "./grouping.ts";

/** What can be chosen in the tree: one project, one domain with all its projects, or one customer. */
export type TenantChoice =
  | { readonly kind: "project" | "domain"; readonly id: string; readonly controlPlane: string }
  | { readonly kind: "customer"; readonly id: string };

export interface TenantNode {
  readonly key: string;
  /** `control plane`, `region`, `domain`, `project`, `customer`: what the label names. */
  readonly level: string;
  readonly label: string;
  readonly id: string;
  /** Absent where the node only holds others. */
  readonly choice?: TenantChoice;
  readonly children: readonly TenantNode[];
}

/** A node that is in sight, with its place for keys and screen readers; `place` counts from 1 among `siblings`. */
export interface TreeRow {
  readonly node: TenantNode;
  readonly depth: number;
  readonly open: boolean;
  readonly place: number;
  readonly siblings: number;
  readonly parent: string | undefined;
}

/** Rows beyond this many are not drawn; typing narrows them. */
export const rowsMax = 300;

/** The tree as it is shown: customers first, then the clouds. A region that is not named is left out as a level. */
export function growTree(tree: TenantTreeJson, withCustomers: boolean): readonly TenantNode[] {
  const customers = tree.customers.map((customer): TenantNode => {
    const { customer_id: id, customer_name: label } = customer;
    const children = growMembers(`c:${id}`, customer.tenants);
    return { key: `c:${id}`, level: "customer", label, id, choice: { kind: "customer", id }, children };
  });
  const planes = tree.control_planes.map((plane): TenantNode => ({
    key: `k:${plane.control_plane}`,
    level: "control plane",
    label: plane.control_plane,
    id: plane.control_plane,
    children: plane.regions.flatMap(({ region_id: region, domains }): readonly TenantNode[] => {
      const nodes = domains.map((domain) => growDomain(plane.control_plane, domain));
      if (region === null) return nodes;
      const key = `k:${plane.control_plane} r:${region}`;
      return [{ key, level: "region", label: region, id: region, children: nodes }];
    }),
  }));
  return withCustomers ? [...customers, ...planes] : planes;
}

type MemberJson = TenantTreeJson["customers"][number]["tenants"][number];

/** What a customer consists of: its domains with their projects, and the projects that it has without their domain. */
function growMembers(above: string, members: readonly MemberJson[]): readonly TenantNode[] {
  const isDomain = (member: MemberJson) => member.project_id === undefined;
  const isWithin = (project: MemberJson) => (domain: MemberJson) =>
    domain.control_plane === project.control_plane && domain.domain_id === project.domain_id;
  const projects = members.filter((member) => !isDomain(member));
  const domains = members.filter(isDomain);
  const grow = (member: MemberJson): TenantNode => {
    const kind = isDomain(member) ? "domain" : "project";
    const id = member.project_id ?? member.domain_id ?? "";
    const name = kind === "project" ? member.project_name : member.domain_name;
    return {
      key: `${above} ${kind}:${member.control_plane}/${id}`,
      level: kind,
      label: name ?? shortId(id),
      id,
      choice: { kind, id, controlPlane: member.control_plane },
      children: [],
    };
  };
  return [
    ...domains.map((domain): TenantNode => ({
      ...grow(domain),
      children: projects.filter((project) => isWithin(project)(domain)).map(grow),
    })),
    ...projects.filter((project) => !domains.some(isWithin(project))).map(grow),
  ];
}

type DomainJson = TenantTreeJson["control_planes"][number]["regions"][number]["domains"][number];

function growDomain(controlPlane: string, domain: DomainJson): TenantNode {
  const id = domain.domain_id;
  return {
    key: `d:${controlPlane}/${id ?? ""}`,
    level: "domain",
    label: id === null ? "No domain known" : (domain.domain_name ?? shortId(id)),
    id: id ?? "",
    ...(id === null || !domain.whole ? {} : { choice: { kind: "domain", id, controlPlane } }),
    children: domain.projects.map((project): TenantNode => ({
      key: `p:${controlPlane}/${project.project_id}`,
      level: "project",
      label: project.project_name ?? shortId(project.project_id),
      id: project.project_id,
      choice: { kind: "project", id: project.project_id, controlPlane },
      children: [],
    })),
  };
}

/** What is left of the tree when `text` is sought in names and ids; a match keeps all that it holds. */
export function seekNodes(nodes: readonly TenantNode[], text: string): readonly TenantNode[] {
  const sought = text.trim().toLowerCase();
  if (sought === "") return nodes;
  return nodes.flatMap((node): readonly TenantNode[] => {
    if (node.label.toLowerCase().includes(sought) || node.id.toLowerCase().startsWith(sought)) return [node];
    const children = seekNodes(node.children, sought);
    return children.length === 0 ? [] : [{ ...node, children }];
  });
}

/** The rows in sight, from top to bottom; `isOpen` says which branches are unfolded. */
export function layRows(
  nodes: readonly TenantNode[],
  isOpen: (node: TenantNode, depth: number) => boolean,
  depth = 1,
  parent?: string,
): readonly TreeRow[] {
  return nodes.flatMap((node, index): readonly TreeRow[] => {
    const open = node.children.length > 0 && isOpen(node, depth);
    const row = { node, depth, open, place: index + 1, siblings: nodes.length, parent };
    return [row, ...(open ? layRows(node.children, isOpen, depth + 1, node.key) : [])];
  });
}

/** The node of a choice, with the labels above it. */
export function findChoice(
  nodes: readonly TenantNode[],
  wanted: TenantChoice,
): { readonly node: TenantNode; readonly path: readonly string[] } | undefined {
  for (const node of nodes) {
    if (node.choice !== undefined && isSameChoice(node.choice, wanted)) return { node, path: [node.label] };
    const below = findChoice(node.children, wanted);
    if (below !== undefined) return { ...below, path: [node.label, ...below.path] };
  }
  return undefined;
}

export function isSameChoice(one: TenantChoice, other: TenantChoice): boolean {
  if (one.kind !== other.kind || one.id !== other.id) return false;
  return one.kind === "customer" || other.kind === "customer" || one.controlPlane === other.controlPlane;
}
