import { describe, expect, it } from "vitest";
import { blameOf, layerOf, orderFiles } from "./evidence-blame.ts";
import type { Stack } from "./evidence-stack.ts";

/** `depot/api/boxes.py:create > …`, the outermost first. */
function stack(text: string): Stack {
  const frames = text.split(" > ").map((frame) => {
    const [file = "", name = ""] = frame.split(":");
    return { file, function: name };
  });
  return { frames, exception: "", quoted: false };
}

const filesOf = (text: string, exception = "") =>
  orderFiles(stack(text), blameOf(exception)).map(({ file }) => file);

describe("the order in which the files of a stack are suspected", () => {
  it("is innermost first, each file once", () => {
    expect(filesOf("a/api.py:create > a/shelf.py:add > a/shelf.py:put > a/disk.py:write")).toEqual([
      "a/disk.py",
      "a/shelf.py",
      "a/api.py",
    ]);
  });

  it("passes over calls that only wrap, raise again or check what they were given", () => {
    expect(filesOf("a/api.py:create > a/shelf.py:add > a/sync.py:wrapper")).toEqual([
      "a/shelf.py",
      "a/api.py",
    ]);
    expect(filesOf("a/api.py:create > a/shelf.py:add > a/policy.py:check_size")).toEqual([
      "a/shelf.py",
      "a/api.py",
    ]);
  });

  it("puts stubs of remote calls and small tools behind those who called them", () => {
    expect(filesOf("a/api.py:create > a/shelf.py:add > a/utils.py:execute")).toEqual([
      "a/shelf.py",
      "a/api.py",
      "a/utils.py",
    ]);
  });

  it("suspects the caller where a call was handed something wrong", () => {
    const wrong = "AttributeError: 'NoneType' object has no attribute 'auth_token'";
    expect(filesOf("a/flow.py:run > a/image/fetch.py:fetch > a/image/remote.py:open", wrong)).toEqual([
      "a/image/fetch.py",
      "a/image/remote.py",
      "a/flow.py",
    ]);
    expect(filesOf("a/flow.py:run > a/db/api.py:get > a/db/sqlalchemy/api.py:get", wrong)[0]).toBe(
      "a/flow.py",
    );
  });
});

describe("what an error points at", () => {
  it.each([
    ["KeyError: 'size'", "value"],
    ["TypeError: 'NoneType' object is not iterable", "value"],
    ["TypeError: Cannot read properties of undefined (reading 'size')", "value"],
    ["DepotException: Use of empty request context is deprecated", "argument"],
    ["DiskFull: no space left on device", "raised"],
    ["", "raised"],
  ])("%s is taken for %s", (exception, blame) => {
    expect(blameOf(exception)).toBe(blame);
  });

  it.each([
    ["cinder/db/sqlalchemy/api.py", "data"],
    ["nova/db/api.py", "data"],
    // Neutron keeps its plugins' work under that name too.
    ["neutron/db/l3_db.py", "tool"],
    ["nova/objects/instance.py", "object"],
    ["nova/virt/libvirt/driver.py", "tool"],
    ["nova/api/openstack/compute/servers.py", "entry"],
    ["nova/compute/manager.py", "entry"],
  ])("%s is of the layer %s", (file, layer) => {
    expect(layerOf(file)).toBe(layer);
  });
});
