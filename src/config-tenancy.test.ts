import { describe, expect, test } from "vitest";
import { customerProblems, customersSchema, regionsOf, toCustomer } from "./config-tenancy.ts";

const where = (...path: (string | number)[]) => `customers.${path.join(".")}`;

function problemsOf(given: unknown): readonly string[] {
  return customerProblems(customersSchema.parse(given), where).map(
    ({ where: at, what, write }) => `${at} ${what}: write ${write}`,
  );
}

describe("customers", () => {
  test("are sets of domains and projects on any control planes", () => {
    const given = [
      {
        id: "acme",
        name: "Acme Foods",
        members: [{ domain: "d1" }, { control_plane: "two", project: "p1" }],
      },
    ];
    expect(problemsOf(given)).toEqual([]);
    expect(customersSchema.parse(given).map(toCustomer)).toEqual([
      {
        id: "acme",
        name: "Acme Foods",
        members: [
          { controlPlane: "default", domainId: "d1" },
          { controlPlane: "two", projectId: "p1" },
        ],
      },
    ]);
  });

  test("have ids of their own, and no tenant in common; all that is wrong is told at once", () => {
    const member = { control_plane: "one", project: "p" };
    const given = [
      { id: "a", name: "A", members: [member, { control_plane: "one", domain: "d" }] },
      { id: "b", name: "B", members: [member, {}, { domain: "d", project: "p" }] },
      {
        id: "a",
        name: "C",
        members: [
          { control_plane: "two", project: "p" },
          { control_plane: "one", domain: "d" },
        ],
      },
    ];
    const one = "each domain and each project once, for one customer";
    const form = "control_plane with either domain or project";
    expect(problemsOf(given)).toEqual([
      `customers.1.members.0 lists project p of one, which is a's: write ${one}`,
      `customers.1.members.1 names no tenant: write ${form}`,
      `customers.1.members.2 names both a domain and a project: write ${form}`,
      'customers.2.id "a" is there twice: write an id of its own for each',
      `customers.2.members.1 lists domain d of one twice: write ${one}`,
    ]);
  });

  test.each([
    [{ id: "Acme Foods", name: "A", members: [{ domain: "d" }] }, /small letters/],
    [{ id: "a", name: "A\u202eB", members: [{ domain: "d" }] }, /control characters/],
    [{ id: "a", name: "A", members: [] }, /at least one member/],
    [{ id: "a", name: "A", members: [{ domain: "Acme Foods" }] }, /never its name/],
    [{ id: "a", name: "A", members: [{ project: "p/../q" }] }, /never its name/],
  ])("such as %j are refused", (customer, says) => {
    const parsed = customersSchema.safeParse([customer]);
    expect(parsed.error?.issues.map(({ message }) => message).join(" ")).toMatch(says);
  });
});

test("a control plane has the region that its connections name, if that is one", () => {
  const connections = [
    { controlPlane: "one", config: { region: "north" } },
    { controlPlane: "one", config: {} },
    { controlPlane: "two", config: { region: "east" } },
    { controlPlane: "two", config: { region: "west" } },
    { controlPlane: "three", config: {} },
  ];
  expect([...regionsOf(connections)]).toEqual([["one", "north"]]);
});
