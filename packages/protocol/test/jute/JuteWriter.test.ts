import * as Hostile from "@effect-zookeeper/test-kit/fuzz/Mutation"
import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import { JuteReader } from "../../src/JuteReader.ts"
import { JuteWriter } from "../../src/JuteWriter.ts"

type Step =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "long"; readonly value: bigint }
  | { readonly type: "buffer"; readonly value: Uint8Array }
  | { readonly type: "ustring"; readonly value: string }

const stepsOf = (seed: number): ReadonlyArray<Step> => {
  const choose = Hostile.choices(seed)
  return Array.from({ length: 1 + choose(30) }, (): Step => {
    switch (choose(5)) {
      case 0:
        return { type: "boolean", value: choose(2) === 0 }
      case 1:
        return { type: "int", value: choose(2 ** 32) | 0 }
      case 2:
        return { type: "long", value: BigInt.asIntN(64, (BigInt(choose(2 ** 32)) << 32n) | BigInt(choose(2 ** 32))) }
      case 3:
        return { type: "buffer", value: new Uint8Array(choose(200)).fill(choose(256)) }
      default:
        return { type: "ustring", value: (choose(2) === 0 ? "z" : "日").repeat(choose(120)) }
    }
  })
}

const write = (writer: JuteWriter, { type, value }: Step) => {
  if (type === "boolean") writer.boolean(value)
  else if (type === "int") writer.int(value)
  else if (type === "long") writer.long(value)
  else if (type === "buffer") writer.buffer(value)
  else writer.ustring(value)
}

describe("JuteWriter", () => {
  it.prop(
    "grows from any capacity, and what it wrote is read back in order",
    [Arbitraries.seed],
    ([seed]) => {
      const steps = stepsOf(seed)
      for (const capacity of [0, 1, 7, 256, 65_536]) {
        const writer = new JuteWriter(capacity)
        for (const step of steps) write(writer, step)
        const length = writer.length
        const bytes = writer.take()
        assert.lengthOf(bytes, length)
        const reader = new JuteReader(bytes)
        for (const { type, value } of steps) assert.deepStrictEqual(reader[type](), value)
        assert.strictEqual(reader.remaining, 0)
      }
    },
    { arbitrary: { runs: 50 } }
  )

  it.prop(
    "bytes handed over never change, whatever is written later",
    [Arbitraries.seed, Arbitraries.seed],
    ([first, second]) => {
      const writer = new JuteWriter(16)
      for (const step of stepsOf(first)) write(writer, step)
      const taken = writer.take()
      const copy = taken.slice()
      for (const step of stepsOf(second)) write(writer, step)
      writer.truncate(0)
      for (const step of stepsOf(second)) write(writer, step)
      const later = writer.take()
      assert.deepStrictEqual(taken, copy)
      assert.notStrictEqual(later.buffer, taken.buffer)
    },
    { arbitrary: { runs: 50 } }
  )

  it("is empty after its bytes were taken", () => {
    const writer = new JuteWriter()
    writer.int(1)
    assert.lengthOf(writer.take(), 4)
    assert.strictEqual(writer.length, 0)
    assert.lengthOf(writer.take(), 0)
  })

  it("does not stay large after one large request", () => {
    const writer = new JuteWriter()
    writer.raw(new Uint8Array(1_000_000))
    writer.take()
    writer.int(1)
    assert.isAtMost(writer.take().buffer.byteLength, 16_384)
  })

  it.prop(
    "memory that is given back is written to again, and never while others hold it",
    [Arbitraries.seed, Arbitraries.seed],
    ([first, second]) => {
      const writer = new JuteWriter(16)
      const written = (seed: number) => {
        for (const step of stepsOf(seed)) write(writer, step)
        const bytes = writer.take()
        return { bytes, copy: bytes.slice() }
      }
      const seen = new Set<ArrayBuffer>()
      let held = written(first)
      for (let turn = 0; turn < 6; turn++) {
        const next = written(turn % 2 === 0 ? second : first)
        assert.deepStrictEqual(held.bytes, held.copy)
        assert.notStrictEqual(next.bytes.buffer, held.bytes.buffer)
        seen.add(held.bytes.buffer)
        writer.giveBack(held.bytes)
        held = next
      }
      assert.isBelow(seen.size, 6)
    },
    { arbitrary: { runs: 50 } }
  )

  it("does not stay large after one large request whose memory is given back", () => {
    const writer = new JuteWriter()
    const takeAfter = (size: number) => {
      writer.raw(new Uint8Array(size))
      const bytes = writer.take()
      writer.giveBack(bytes)
      return bytes.buffer.byteLength
    }
    takeAfter(300_000)
    assert.isAtLeast(takeAfter(300_000), 300_000)
    for (let turn = 0; turn < 3; turn++) takeAfter(12)
    assert.isAtMost(takeAfter(12), 16_384)
    takeAfter(3_000_000)
    takeAfter(3_000_000)
    assert.isBelow(takeAfter(1_000_000), 3_000_000)
  })

  it.prop(
    "writes text of any units as the runtime's encoder does",
    [Arbitraries.seed],
    ([seed]) => {
      const choose = Hostile.choices(seed)
      const alphabets = ["az/09 ~", "\0\x7f\x80\xffé", "日\uffff", "\ud83d\ude00\ud800\udfff", "a\ud83d\ude00\udc00日é"]
      for (let length = 0; length < 40; length++) {
        const alphabet = alphabets[choose(alphabets.length)]!
        let value = ""
        for (let index = 0; index < length; index++) value += alphabet[choose(alphabet.length)]
        const writer = new JuteWriter(choose(64))
        writer.int(7)
        writer.ustring(value)
        const bytes = writer.take()
        assert.deepStrictEqual(bytes.slice(8), new TextEncoder().encode(value))
        assert.strictEqual(new JuteReader(bytes, 4).int(), bytes.length - 8)
      }
    },
    { arbitrary: { runs: 50 } }
  )

  it("truncate drops what was written after", () => {
    const writer = new JuteWriter()
    writer.int(1)
    const length = writer.length
    writer.ustring("dropped")
    writer.truncate(length)
    writer.boolean(true)
    assert.deepStrictEqual([...writer.take()], [0, 0, 0, 1, 1])
  })

  it("writes the extremes of its types", () => {
    const writer = new JuteWriter()
    for (const value of [-(2 ** 31), 2 ** 31 - 1]) writer.int(value)
    for (const value of [-(2n ** 63n), 2n ** 63n - 1n]) writer.long(value)
    assert.strictEqual(
      Buffer.from(writer.take()).toString("hex"),
      "80000000" + "7fffffff" + "8000000000000000" + "7fffffffffffffff"
    )
  })
})

describe("JuteReader", () => {
  it("reads no further than its end, though the chunk has more", () => {
    const chunk = Uint8Array.from([9, 9, 0, 0, 0, 1, 0, 0, 0, 2, 9])
    const reader = new JuteReader(chunk, 2, 8)
    assert.strictEqual(reader.int(), 1)
    assert.strictEqual(reader.remaining, 2)
    assert.throws(() => reader.int(), "malformed bytes at offset 4: 4 bytes needed, 2 left")
  })

  it("reads milliseconds exactly up to 2^53, negative ones too", () => {
    for (const millis of [0, 1, -1, 1_795_373_747_155, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, -(2 ** 32)]) {
      const writer = new JuteWriter()
      writer.long(BigInt(millis))
      assert.strictEqual(new JuteReader(writer.take()).millis(), millis)
    }
  })

  it("takes any byte but 0 for true", () => {
    const reader = new JuteReader(Uint8Array.from([0, 1, 2, 255]))
    assert.deepStrictEqual(
      [reader.boolean(), reader.boolean(), reader.boolean(), reader.boolean()],
      [false, true, true, true]
    )
  })
})
