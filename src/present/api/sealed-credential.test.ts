import fc from "fast-check";
import { expect, test } from "vitest";
import { openCredential, sealCredential } from "./sealed-credential.ts";

const secret = fc.uint8Array({ minLength: 32, maxLength: 48 });
const owner = fc.uint8Array({ minLength: 32, maxLength: 32 });
const credential = fc.string({ unit: "grapheme", maxLength: 5_000 }).map((text) => text.toWellFormed());

test("what was sealed opens again, for the same owner under the same secret", () => {
  fc.assert(
    fc.property(secret, owner, credential, (key, whose, text) => {
      expect(openCredential(key, whose, sealCredential(key, whose, text))).toBe(text);
    }),
  );
});

test("nothing opens with another secret, for another owner, or with any bit changed or any byte missing", () => {
  fc.assert(
    fc.property(secret, owner, credential, fc.nat(), fc.nat(7), (key, whose, text, place, bit) => {
      const sealed = sealCredential(key, whose, text);
      const changed = (bytes: Uint8Array): Uint8Array => {
        const copy = Uint8Array.from(bytes);
        const at = place % copy.length;
        copy[at] = copy[at]! ^ (1 << bit);
        return copy;
      };
      expect(openCredential(changed(key), whose, sealed)).toBeUndefined();
      expect(openCredential(key, changed(whose), sealed)).toBeUndefined();
      expect(openCredential(key, whose, changed(sealed))).toBeUndefined();
      expect(openCredential(key, whose, sealed.subarray(0, place % sealed.length))).toBeUndefined();
    }),
  );
});

test("the same credential is sealed to other bytes each time, and none of it can be read in them", () => {
  const [key, whose, text] = [new Uint8Array(32), new Uint8Array(32).fill(1), "gAAAAA-a-keystone-token"];
  const sealed = Array.from({ length: 20 }, () => Buffer.from(sealCredential(key, whose, text)));
  expect(new Set(sealed.map((one) => one.toString("hex"))).size).toBe(20);
  for (const one of sealed) expect(one.toString("latin1")).not.toContain("keystone");
});
