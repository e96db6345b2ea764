import { expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import { resolveAccess } from "./credentials.ts";
import { readSettings } from "./settings.ts";

const clouds = `
clouds:
  lab:
    region_name: one
    endpoint_type: internalURL
    auth:
      auth_url: https://keystone.example/
      username: reader
      user_domain_name: ops
      project_id: p1
  robot:
    auth_type: v3applicationcredential
    auth: { auth_url: "https://keystone.example/v3", application_credential_id: ac1, application_credential_secret: s3cret, project_id: p1 }
  careless:
    verify: false
    auth: { auth_url: "https://keystone.example/v3" }
  modern:
    auth_type: v3oidcpassword
    auth: { auth_url: "https://keystone.example/v3" }
`;
const secure = "clouds: { lab: { auth: { password: open sesame } } }";

function resolve(config: JsonObject, files: Readonly<Record<string, string>> = {}) {
  return resolveAccess(readSettings(config), {
    secret: (reference) => `the secret of ${reference}`,
    readText: (path) => Promise.resolve(files[path]),
    warn: () => undefined,
  });
}

test("a cloud is read from the first clouds.yaml of the search path, with the secure.yaml beside it", async () => {
  const files = {
    "~/.config/openstack/clouds.yaml": clouds,
    "~/.config/openstack/secure.yaml": secure,
    "/etc/openstack/clouds.yaml": "clouds: { lab: { auth: { auth_url: https://elsewhere.example } } }",
  };
  expect(await resolve({ cloud: "lab" }, files)).toEqual({
    authUrl: "https://keystone.example/v3",
    identity: {
      methods: ["password"],
      password: { user: { name: "reader", domain: { name: "ops" }, password: "open sesame" } },
    },
    scope: { project: { id: "p1" } },
    region: "one",
    interface: "internal",
  });
});

test("a file named in the settings is the only one looked at, and settings win over it", async () => {
  const files = { "/srv/clouds.yaml": clouds, "/srv/secure.yaml": secure, "./clouds.yaml": "clouds: {}" };
  const access = await resolve(
    { cloud: "lab", clouds_file: "/srv/clouds.yaml", region: "two", interface: "admin" },
    files,
  );
  expect(access).toMatchObject({ region: "two", interface: "admin" });
});

test("an application credential is sent without a scope of its own", async () => {
  const access = await resolve({ cloud: "robot" }, { "./clouds.yaml": clouds });
  expect(access.identity).toEqual({
    methods: ["application_credential"],
    application_credential: { id: "ac1", secret: "s3cret" },
  });
  expect(access.scope).toBeUndefined();
});

test("secrets written in line are references", async () => {
  const auth = {
    auth_url: "https://keystone.example/v3",
    user_id: "u1",
    password: "env:OS_PASSWORD",
    system_scope: "all",
  };
  expect(await resolve({ auth })).toMatchObject({
    identity: { password: { user: { id: "u1", password: "the secret of env:OS_PASSWORD" } } },
    scope: { system: { all: true } },
  });
  expect(
    await resolve({ auth: { auth_url: "https://keystone.example", token: "file:/run/token" } }),
  ).toMatchObject({
    authUrl: "https://keystone.example/v3",
    identity: { methods: ["token"], token: { id: "the secret of file:/run/token" } },
  });
});

test("a secret in place of a reference is refused without being repeated", () => {
  const auth = { auth_url: "https://keystone.example/v3", password: "hunter2" };
  expect(() => readSettings({ auth })).toThrow(/auth\.password/);
  try {
    readSettings({ auth });
  } catch (error) {
    expect(String(error)).not.toContain("hunter2");
  }
});

test.each([
  ["no cloud", {}, {}],
  ["no file", { cloud: "lab" }, {}],
  ["an unknown cloud", { cloud: "constructor" }, { "./clouds.yaml": clouds }],
  ["a cloud without a password", { cloud: "lab" }, { "./clouds.yaml": clouds }],
  ["a cloud that skips certificate checks", { cloud: "careless" }, { "./clouds.yaml": clouds }],
  ["a way to sign in that is not supported", { cloud: "modern" }, { "./clouds.yaml": clouds }],
  ["broken YAML", { cloud: "lab" }, { "./clouds.yaml": "clouds: [" }],
])("%s is refused as configuration", async (_what, config, files) => {
  const refused = resolve(config, files as Record<string, string>);
  await expect(refused).rejects.toBeInstanceOf(IsochronError);
  await expect(refused).rejects.toMatchObject({ code: "config-invalid" });
});
