/**
 * Records that write or read themselves do what the codec derived from their fields does, mistakes included.
 */
import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Acl from "../../src/Acl.ts"
import * as Jute from "../../src/Jute.ts"
import * as Records from "../../src/Records.ts"

const runs = { arbitrary: { runs: 60 } }

/** Of the same fields, without what the record says of itself. */
const derivedOf = (schema: object) => {
  assert(Predicate.hasProperty(schema, "fields"))
  return Jute.codec(Schema.Struct(schema.fields as Schema.Struct.Fields))
}

describe("each record is written and read as its fields are", () => {
  for (const [label, schema] of Arbitraries.records) {
    const own = Jute.codec(schema)
    const derived = derivedOf(schema)

    it.prop(
      label,
      [Arbitraries.valuesOf(schema), Arbitraries.bytes],
      ([value, garbage]) => {
        const bytes = Jute.encode(derived, value)
        assert.deepStrictEqual(Jute.encode(own, value), bytes)
        assert.deepStrictEqual(Jute.decode(own, garbage), Jute.decode(derived, garbage))
        // As many bytes as the smallest record has: those that are given, over and over.
        const filled = Uint8Array.from({ length: own.minimumSize }, (_, at) => garbage[at % garbage.length] ?? at)
        assert.deepStrictEqual(Jute.decode(own, filled), Jute.decode(derived, filled))
        const step = Math.max(1, Math.floor(bytes.length / 40))
        for (let length = 0; length <= bytes.length; length += step) {
          const part = bytes.slice(0, length)
          assert.deepStrictEqual(Jute.decode(own, part), Jute.decode(derived, part))
          // Null, and a length that cannot be, where a text or a buffer may begin.
          part.fill(255, Math.max(0, length - 4))
          assert.deepStrictEqual(Jute.decode(own, part), Jute.decode(derived, part))
        }
      },
      runs
    )
  }
})

it("the open ACL is written as any other list of the same entries", () => {
  const codec = Jute.codec(Records.CreateRequest)
  const request = { path: "/a", data: null, flags: 0 }
  const same = Acl.open.map((entry) => ({ ...entry }))
  assert.deepStrictEqual(
    Jute.encode(codec, { ...request, acl: Acl.open }),
    Jute.encode(codec, { ...request, acl: same })
  )
  assert.isTrue(Object.isFrozen(Acl.open) && Acl.open.every((entry) => Object.isFrozen(entry)))
})
