import { describe, expect, it } from "vitest";
import type { TenantTreeJson } from "../../api/tenancy-contract.ts";
import { findChoice, growTree, layRows, seekNodes, type TenantNode } from "./tenant-tree.ts";

const domain = (id: string, name: string, projects: readonly [string, string][], whole = true) => ({
  domain_id: id,
  domain_name: name,
  whole,
  projects: projects.map(([project_id, project_name]) => ({ project_id, project_name })),
});

const tree: TenantTreeJson = {
  control_planes: [
    {
      control_plane: "east",
      regions: [
        { region_id: null, domains: [domain("d1", "acme", [["p1", "prod"]])] },
        { region_id: "r2", domains: [domain("d2", "globex", [["p2", "prod"]], false)] },
      ],
    },
    {
      control_plane: "west",
      regions: [{ region_id: null, domains: [domain("d1", "initech", [["p1", "web"]])] }],
    },
  ],
  customers: [
    {
      customer_id: "big",
      customer_name: "Big and Sons",
      tenants: [
        { control_plane: "east", domain_id: "d1", project_id: "p1", project_name: "prod" },
        { control_plane: "east", domain_id: "d1", domain_name: "acme" },
        { control_plane: "west", domain_id: "d1", project_id: "p1", project_name: "web" },
      ],
    },
  ],
};

const outline = (nodes: readonly TenantNode[]): unknown =>
  nodes.map((node) => (node.children.length === 0 ? node.label : [node.label, outline(node.children)]));

describe("the tree of tenants", () => {
  it("has customers before the clouds, and no level for a region that nobody names", () => {
    expect(outline(growTree(tree, true))).toEqual([
      ["Big and Sons", [["acme", ["prod"]], "web"]],
      [
        "east",
        [
          ["acme", ["prod"]],
          ["r2", [["globex", ["prod"]]]],
        ],
      ],
      ["west", [["initech", ["web"]]]],
    ]);
    expect(outline(growTree(tree, false))).toHaveLength(2);
  });

  it("tells equal ids of two control planes apart", () => {
    const nodes = growTree(tree, false);
    expect(findChoice(nodes, { kind: "project", id: "p1", controlPlane: "west" })?.path).toEqual([
      "west",
      "initech",
      "web",
    ]);
    expect(findChoice(nodes, { kind: "domain", id: "d1", controlPlane: "east" })?.node.label).toBe("acme");
    const keys = layRows(growTree(tree, true), () => true).map((row) => row.node.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("offers no domain of which only some projects are in sight", () => {
    expect(
      findChoice(growTree(tree, true), { kind: "domain", id: "d2", controlPlane: "east" }),
    ).toBeUndefined();
  });

  it("narrows to what is typed, by name or by the beginning of an id, with the branches that lead there", () => {
    expect(outline(seekNodes(growTree(tree, false), " PROD"))).toEqual([
      [
        "east",
        [
          ["acme", ["prod"]],
          ["r2", [["globex", ["prod"]]]],
        ],
      ],
    ]);
    expect(outline(seekNodes(growTree(tree, false), "p2"))).toEqual([
      ["east", [["r2", [["globex", ["prod"]]]]]],
    ]);
    expect(seekNodes(growTree(tree, true), "nothing of that name")).toEqual([]);
  });

  it("shows the rows of open branches only, each with its place among its siblings", () => {
    const rows = layRows(growTree(tree, false), (node) => node.id === "east");
    expect(rows.map(({ node, depth, place, siblings }) => [node.label, depth, place, siblings])).toEqual([
      ["east", 1, 1, 2],
      ["acme", 2, 1, 2],
      ["r2", 2, 2, 2],
      ["west", 1, 2, 2],
    ]);
  });
});
