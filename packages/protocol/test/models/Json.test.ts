/** 64-bit numbers on their way into JSON. */
import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import { someLong, withJson } from "../../src/Json.ts"

describe("an object with a way into JSON", () => {
  it("has 64-bit numbers as decimal text there, and is else as it was", () => {
    const plain = { path: "/a", czxid: 2n ** 62n }
    const value = withJson({ ...plain })
    assert.strictEqual(JSON.stringify({ value }), '{"value":{"path":"/a","czxid":"4611686018427387904"}}')
    assert.deepStrictEqual(value, plain)
    assert.deepStrictEqual(structuredClone(value), plain)
    assert.deepStrictEqual(Object.keys(value), Object.keys(plain))
  })
})

describe("an Option of a 64-bit number", () => {
  it("is taken by JSON as other Options are, also after a spread of what holds it", () => {
    const event = { type: "NodeDeleted", zxid: someLong(-5n) }
    assert.strictEqual(
      JSON.stringify({ ...event, path: "/a" }),
      '{"type":"NodeDeleted","zxid":{"_id":"Option","_tag":"Some","value":"-5"},"path":"/a"}'
    )
    assert.isTrue(Equal.equals(someLong(-5n), Option.some(-5n)))
    assert.deepStrictEqual(someLong(-5n), Option.some(-5n))
  })
})
