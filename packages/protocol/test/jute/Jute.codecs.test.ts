/**
 * What holds for every codec: round trips, and no input whatever does more than fail with a `JuteError`.
 */
import * as Hostile from "@effect-zookeeper/test-kit/fuzz/Mutation"
import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Handshake from "../../src/Handshake.ts"
import * as Jute from "../../src/Jute.ts"
import { JuteError } from "../../src/JuteError.ts"
import { JuteWriter } from "../../src/JuteWriter.ts"
import * as Operations from "../../src/Operations.ts"
import * as Records from "../../src/Records.ts"
import { fails, succeeds } from "../support/results.ts"

const runs = { arbitrary: { runs: 60 } }

const records: ReadonlyArray<Arbitraries.Subject> = Arbitraries.records.map(([label, schema]) => ({
  label,
  codec: Jute.codec(schema),
  values: Arbitraries.valuesOf(schema)
}))

const subjects = [...records, ...Arbitraries.bodies, ...Arbitraries.handshakes]

it("the subjects are all records, all bodies of the table and the handshake", () => {
  assert.isAbove(records.length, 30)
  assert.lengthOf(Arbitraries.bodies, Operations.all.length * 2)
})

describe("every value comes back as it was", () => {
  for (const { codec, label, values } of subjects) {
    it.prop(
      label,
      [values],
      ([value]) => {
        const bytes = Jute.encode(codec, value)
        assert.isAtLeast(bytes.length, codec.minimumSize)
        assert.deepStrictEqual(succeeds(Jute.decode(codec, bytes)), value)
      },
      runs
    )
  }
})

it("a time beyond all clocks comes back as it was, and not as one of long ago", () => {
  const codec = Jute.codec(Schema.Struct({ time: Jute.Millis }))
  for (const hex of ["7fffffffffffffff", "7ffffffffffffe00", "8000000000000000", "ffffffffffffffff"]) {
    const value = succeeds(Jute.decode(codec, Uint8Array.from(Buffer.from(hex, "hex"))))
    assert.strictEqual(succeeds(Jute.decode(codec, Jute.encode(codec, value))).time, value.time)
    assert.strictEqual(Math.sign(value.time), hex.startsWith("7") ? 1 : -1)
  }
})

describe("bytes after a value are left alone", () => {
  for (const { codec, label, values } of [...records, ...Arbitraries.bodies]) {
    it.prop(
      label,
      [values, Arbitraries.bytes],
      ([value, rest]) => {
        const bytes = Hostile.concat(Jute.encode(codec, value), rest)
        assert.deepStrictEqual(succeeds(Jute.decode(codec, bytes)), value)
      },
      { arbitrary: { runs: 20 } }
    )
  }
})

describe("a value cut short at any byte fails, and the error names the field", () => {
  for (const { codec, label, values } of subjects) {
    if (codec.minimumSize === 0) continue
    it.prop(
      label,
      [values],
      ([value]) => {
        const bytes = Jute.encode(codec, value)
        const whole = "readOnly" in Object(value) && value.readOnly !== undefined ? bytes.length - 1 : bytes.length
        for (let length = 0; length < whole; length += 1 + (whole >> 6)) {
          const error = fails(Jute.decode(codec, bytes.subarray(0, length)))
          assert.match(error.field, Array.isArray(value) ? /^\[\d+\]\.[a-z]/ : /^[a-z]/i)
          if (!Array.isArray(value)) assert.property(value, /^\w+/.exec(error.field)![0])
          assert.isAtMost(error.offset, length)
        }
      },
      { arbitrary: { runs: 10 } }
    )
  }
})

describe("no bytes do more than fail", () => {
  for (const { codec, label, values } of subjects) {
    it.prop(
      `${label}: random bytes`,
      [Arbitraries.seed],
      ([seed]) => {
        const choose = Hostile.choices(seed)
        const bytes = Uint8Array.from({ length: choose(120) }, () => (choose(3) === 0 ? choose(256) : 0))
        assertTolerated(codec, bytes)
      },
      runs
    )
    it.prop(
      `${label}: mutated values`,
      [values, values, Arbitraries.seed],
      ([value, other, seed]) => {
        const valid = Jute.encode(codec, value)
        const choose = Hostile.choices(seed)
        for (let i = 0; i < 10; i++) {
          assertTolerated(codec, Hostile.mutate(valid, Jute.encode(codec, other), choose))
        }
      },
      runs
    )
  }

  it.prop("the first frame of a server", [Arbitraries.bytes], ([bytes]) => {
    const reply = Handshake.decodeReply(bytes)
    if (bytes.length < 16) fails(reply)
    if (bytes.length === 16) assert.strictEqual(succeeds(reply)._tag, "Refused")
  })
})

describe("a count that the frame cannot hold is refused before anything is made of it", () => {
  const hostile = [2 ** 31 - 1, 2 ** 30, 2 ** 24, 7, -2, -(2 ** 31)]
  const cases: ReadonlyArray<readonly [label: string, schema: Schema.Schema<any>]> = [
    ["a vector of strings", Schema.Struct({ v: Jute.Vector(Jute.UString) })],
    ["a vector of records", Schema.Struct({ v: Jute.Vector(Records.Acl) })],
    ["a vector of ints", Schema.Struct({ v: Jute.Vector(Jute.Int) })],
    ["a nullable vector of strings", Schema.Struct({ v: Jute.NullOr(Jute.Vector(Jute.UString)) })],
    ["a string", Schema.Struct({ v: Jute.UString })],
    ["a nullable string", Schema.Struct({ v: Jute.NullOr(Jute.UString) })],
    ["a buffer", Schema.Struct({ v: Jute.Buffer })],
    ["a nullable buffer", Schema.Struct({ v: Jute.NullOr(Jute.Buffer) })]
  ]
  for (const [label, schema] of cases) {
    it(label, () => {
      for (const count of hostile) {
        const writer = new JuteWriter()
        writer.int(count)
        writer.raw(new Uint8Array(6))
        const error = fails(Jute.decode(Jute.codec(schema), writer.take()))
        assert.strictEqual(error.field, "v")
        assert.include(error.problem, String(count))
      }
    })
  }

  it("a vector may have as many elements as fit, and not one more", () => {
    const codec = Jute.codec(Schema.Struct({ v: Jute.Vector(Jute.UString) }))
    const writer = new JuteWriter()
    writer.int(1000)
    writer.raw(new Uint8Array(4000))
    const bytes = writer.take()
    assert.lengthOf(succeeds(Jute.decode(codec, bytes)).v, 1000)
    fails(Jute.decode(codec, bytes.subarray(0, -1)))
  })
})

describe("an ACL that a server would refuse", () => {
  it("can be read, so that the server can say so: a null list, a null scheme, a null id", () => {
    const bytes = (acl: ReadonlyArray<{ perms: number; scheme: string | null; id: string | null }> | null) =>
      Jute.encode(Operations.setACL.request, { path: "/a", acl, version: 1 })
    for (const acl of [null, [], [{ perms: 1, scheme: null, id: null }]]) {
      assert.deepStrictEqual(succeeds(Jute.decode(Operations.setACL.request, bytes(acl))).acl, acl)
    }
  })
})

describe("errors", () => {
  it("name the field by its path and the offset from where decoding began", () => {
    const codec = Jute.codec(Schema.Struct({ path: Jute.UString, acl: Jute.Vector(Records.Acl), version: Jute.Int }))
    const bytes = Jute.encode(codec, {
      path: "/a",
      acl: [
        { perms: 31, scheme: "world", id: "anyone" },
        { perms: 31, scheme: "ip", id: "::1" }
      ],
      version: 1
    })
    new DataView(bytes.buffer).setInt32(37, -1)
    const error = fails(Jute.decode(codec, bytes))
    assert.strictEqual(error.field, "acl[1].scheme")
    assert.strictEqual(error.offset, 41)
    assert.strictEqual(
      error.message,
      "malformed bytes at offset 41, field acl[1].scheme: null where a value is required"
    )
  })

  it("name the place within a multi", () => {
    const bytes = Jute.encode(Operations.multi.request, [
      { operation: "check", request: { path: "/a", version: 1 } },
      { operation: "delete", request: { path: "/b", version: 1 } }
    ])
    assert.strictEqual(fails(Jute.decode(Operations.multi.request, bytes.subarray(0, 30))).field, "[1].path")
  })

  it("refuse operations that cannot be in a multi", () => {
    const writer = new JuteWriter()
    Jute.codec(Records.MultiHeader).write(writer, { type: Operations.getACL.opCode, done: false, err: -1 })
    const error = fails(Jute.decode(Operations.multi.request, writer.take()))
    assert.include(error.problem, "operation 6 cannot be in a multi")
  })

  it("a schema without a wire type is a mistake in our code and dies when it is compiled", () => {
    assert.throws(() => Jute.codec(Schema.Struct({ when: Schema.Number })), "no Jute wire type")
    assert.throws(() => Jute.codec(Schema.Struct({ id: Jute.NullOr(Jute.Int) })), "cannot be null on the wire")
    assert.throws(() => Jute.codec(Schema.Struct({ id: Schema.Union([Jute.Int, Jute.UString]) })), "only union")
  })
})

it("a schema is compiled once", () => {
  assert.strictEqual(Jute.codec(Records.Stat), Jute.codec(Records.Stat))
})

const assertTolerated = (codec: Jute.Codec<any>, bytes: Uint8Array) => {
  // A throw beside JuteError passes through `decode` and fails the test.
  const result = Jute.decode(codec, bytes)
  if (Result.isFailure(result)) assert.instanceOf(result.failure, JuteError)
}
