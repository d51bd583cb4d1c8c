/** Zxids and session ids as text. */
import { assert, describe, it } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Schema from "effect/Schema"
import * as Hex64 from "../../src/Hex64.ts"

const codec = Schema.toCodecJson(Hex64.FromString)

describe("a number of 64 bits", () => {
  it("is shown without a sign, as servers log it", () => {
    assert.strictEqual(Hex64.format(0n), "0x0")
    assert.strictEqual(Hex64.format(0x1_0000_0002n), "0x100000002")
    assert.strictEqual(Hex64.format(-2n), "0xfffffffffffffffe")
    assert.strictEqual(Hex64.digits(-1n), "ffffffffffffffff")
  })

  itEffect("comes back from its text as the number that records have", function* () {
    for (const value of [0n, 1n, 2n ** 63n - 1n, -(2n ** 63n), -1n]) {
      const text = yield* Schema.encodeEffect(codec)(value)
      assert.strictEqual(text, Hex64.format(value))
      assert.strictEqual(yield* Schema.decodeUnknownEffect(codec)(text), value)
    }
  })

  it("is no other text", () => {
    for (const text of ["", "0x", "1", "0xFF", "-0x1", "0x10000000000000000", " 0x1"]) {
      assert.isFalse(Schema.is(Hex64.Text)(text), text)
    }
  })
})
