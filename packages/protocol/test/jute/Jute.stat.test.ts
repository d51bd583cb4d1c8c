import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Jute from "../../src/Jute.ts"
import * as Records from "../../src/Records.ts"

describe("the own reader of Stat", () => {
  const own = Jute.codec(Records.Stat)
  const derived = Jute.codec(Schema.Struct(Records.Stat.fields))

  it.prop(
    "reads what the one derived from its fields reads",
    [Arbitraries.bytes, Arbitraries.seed],
    ([given, seed]) => {
      // As many bytes as a Stat has: those that are given, over and over.
      const bytes = Uint8Array.from(
        { length: own.minimumSize },
        (_, at) => given[at % given.length] ?? seed >>> (at % 32)
      )
      assert.deepStrictEqual(Jute.decode(own, bytes), Jute.decode(derived, bytes))
    }
  )

  it("says which field lacks bytes", () => {
    for (let length = 0; length < own.minimumSize; length++) {
      const error = Result.getOrThrow(Result.flip(Jute.decode(own, new Uint8Array(length))))
      assert.deepStrictEqual(error, Result.getOrThrow(Result.flip(Jute.decode(derived, new Uint8Array(length)))))
      assert.isNotEmpty(error.field)
    }
  })
})
