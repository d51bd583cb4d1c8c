import * as Hostile from "@effect-zookeeper/test-kit/fuzz/Mutation"
import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Jute from "../../src/Jute.ts"
import { JuteReader } from "../../src/JuteReader.ts"
import { JuteWriter } from "../../src/JuteWriter.ts"
import * as Records from "../../src/Records.ts"
import { fails, succeeds } from "../support/results.ts"

const path = Jute.codec(Records.PathRequest)
const children = Jute.codec(Records.GetChildrenResponse)

const bytesOf = (...bytes: ReadonlyArray<number>) => Uint8Array.from(bytes)

const framed = (bytes: Uint8Array) => {
  const writer = new JuteWriter()
  writer.buffer(bytes)
  return writer.take()
}

const read = (bytes: Uint8Array) => succeeds(Jute.decode(path, framed(bytes))).path

// Around bytes of ASCII that choose the way of decoding: short strings take another than long ones.
const around = ["", "x".repeat(40)]

describe("strings", () => {
  it.prop("of any characters come back as they were", [Arbitraries.text], ([text]) => {
    assert.strictEqual(succeeds(Jute.decode(path, Jute.encode(path, { path: text }))).path, text)
  })

  it.prop("are written as the UTF-8 of the platform", [Arbitraries.text], ([text]) => {
    assert.deepStrictEqual(Jute.encode(path, { path: text }), framed(new TextEncoder().encode(text)))
  })

  it.prop("of any bytes are text without lone surrogates, and no error", [Arbitraries.bytes], ([bytes]) => {
    const text = read(bytes)
    assert.isTrue(text.isWellFormed())
    const isUtf8 = Buffer.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)).equals(bytes)
    if (isUtf8) assert.deepStrictEqual(new TextEncoder().encode(text), Uint8Array.from(bytes))
  })

  it.prop(
    "with any bytes damaged keep the characters beside them",
    [Arbitraries.text, Arbitraries.text],
    ([before, after]) => {
      const bytes = Hostile.concat(new TextEncoder().encode(before), bytesOf(0xff), new TextEncoder().encode(after))
      assert.strictEqual(read(bytes), `${before}\ufffd${after}`)
    }
  )

  for (const ascii of around) {
    const plain = new TextEncoder().encode(ascii)
    const inside = (...bytes: ReadonlyArray<number>) => read(Hostile.concat(plain, bytesOf(...bytes), plain))
    describe(`of ${ascii.length * 2} characters of ASCII and`, () => {
      it("a pair of surrogates, as Java writes U+1F600, hold that character", () => {
        assert.strictEqual(inside(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80), `${ascii}\u{1f600}${ascii}`)
      })

      it("half a pair hold U+FFFD", () => {
        assert.strictEqual(inside(0xed, 0xa0, 0xbd), `${ascii}\ufffd${ascii}`)
        assert.strictEqual(inside(0xed, 0xb8, 0x80), `${ascii}\ufffd${ascii}`)
        assert.strictEqual(inside(0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd), `${ascii}\ufffd\ufffd${ascii}`)
      })

      it("bytes that are no UTF-8 hold U+FFFD", () => {
        assert.strictEqual(inside(0xff), `${ascii}\ufffd${ascii}`)
        assert.strictEqual(inside(0xc3), `${ascii}\ufffd${ascii}`)
        assert.strictEqual(inside(0xc0, 0x80), `${ascii}\ufffd\ufffd${ascii}`)
        assert.strictEqual(inside(0xf0, 0x9f, 0x98), `${ascii}\ufffd${ascii}`)
      })

      it("a U+FFFD that was sent hold it", () => {
        assert.strictEqual(inside(0xef, 0xbf, 0xbd), `${ascii}\ufffd${ascii}`)
      })

      it("a byte order mark hold it, at the start too", () => {
        assert.strictEqual(inside(0xef, 0xbb, 0xbf), `${ascii}\ufeff${ascii}`)
        assert.strictEqual(read(Hostile.concat(bytesOf(0xef, 0xbb, 0xbf, 0xff), plain)), `\ufeff\ufffd${ascii}`)
      })

      it("a NUL hold it", () => {
        assert.strictEqual(inside(0), `${ascii}\0${ascii}`)
      })
    })
  }

  it("a lone surrogate is sent as U+FFFD", () => {
    assert.deepStrictEqual(Jute.encode(path, { path: "\ud83d" }), framed(bytesOf(0xef, 0xbf, 0xbd)))
  })

  it("empty and null are two things", () => {
    const codec = Jute.codec(Records.GetEphemeralsRequest)
    for (const [prefixPath, hex] of [
      ["", "00000000"],
      [null, "ffffffff"]
    ] as const) {
      const bytes = Jute.encode(codec, { prefixPath })
      assert.strictEqual(Buffer.from(bytes).toString("hex"), hex)
      assert.deepStrictEqual(succeeds(Jute.decode(codec, bytes)), { prefixPath })
    }
    assert.strictEqual(fails(Jute.decode(path, bytesOf(255, 255, 255, 255))).problem, "null where a value is required")
  })
})

describe("buffers", () => {
  const codec = Jute.codec(Records.GetSASLRequest)

  it("empty and null are two things", () => {
    for (const [token, hex] of [
      [new Uint8Array(0), "00000000"],
      [null, "ffffffff"]
    ] as const) {
      const bytes = Jute.encode(codec, { token })
      assert.strictEqual(Buffer.from(bytes).toString("hex"), hex)
      assert.deepStrictEqual(succeeds(Jute.decode(codec, bytes)), { token })
    }
  })

  it("are views of the frame when read, and copies when written", () => {
    const token = bytesOf(1, 2, 3)
    const bytes = Jute.encode(codec, { token })
    token.fill(9)
    const read = succeeds(Jute.decode(codec, bytes)).token!
    assert.deepStrictEqual([...read], [1, 2, 3])
    assert.strictEqual(read.buffer, bytes.buffer)
  })
})

describe("vectors of names, which are decoded all at once from 16 on,", () => {
  /** What one name after the other would give. */
  const slow = (bytes: Uint8Array): Array<string> => {
    const reader = new JuteReader(bytes)
    return Array.from({ length: reader.int() }, () => reader.ustring()!)
  }

  const names = Arbitrary.array(Arbitraries.text, { maxLength: 40 })

  it.prop("are what one name after the other gives", [names, Arbitraries.seed], ([names, seed]) => {
    const choose = Hostile.choices(seed)
    const ascii = Array.from({ length: 10 + choose(60) }, () => "n".repeat(choose(4) === 0 ? choose(300) : choose(20)))
    for (const some of [names, ascii, [...ascii, ...names], [...names, ...ascii]]) {
      const bytes = Jute.encode(children, { children: some })
      assert.deepStrictEqual(succeeds(Jute.decode(children, bytes)).children, slow(bytes))
      assert.deepStrictEqual(slow(bytes), some)
    }
  })

  for (const length of [0, 1, 127, 128, 129, 255, 256, 32_768]) {
    it(`may be ${length} bytes long each`, () => {
      for (const count of [15, 16, 17, 40]) {
        const some = Array.from({ length: count }, (_, i) => String(i).padEnd(length, "-").slice(0, length))
        assert.deepStrictEqual(succeeds(Jute.decode(children, Jute.encode(children, { children: some }))), {
          children: some
        })
      }
    })
  }

  it("are cut out of more than one text when they are many, wherever one text ends and the next begins", () => {
    for (let length = 0; length < 40; length++) {
      // Lengths whose bytes are ASCII: one that is longer than a text is among them.
      for (const long of [length, 127, 8187, 8188, 8192, 8193, 0x7f_7f]) {
        const some = Array.from({ length: 1000 }, (_, i) => String(i).padEnd(i % 300 === 299 ? long : length, "-"))
        const bytes = Jute.encode(children, { children: some })
        assert.deepStrictEqual(succeeds(Jute.decode(children, bytes)).children, some)
      }
    }
  })

  it("are followed by what comes after them", () => {
    const codec = Jute.codec(Records.SetWatches2)
    const list = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `/${prefix}/${i}`)
    const value = {
      relativeZxid: 1n,
      dataWatches: list("data", 20),
      existWatches: list("näme", 20),
      childWatches: [],
      persistentWatches: list("p".repeat(200), 16),
      persistentRecursiveWatches: list("r", 1000)
    }
    assert.deepStrictEqual(succeeds(Jute.decode(codec, Jute.encode(codec, value))), value)
  })

  it("fail at the name that is null, or longer than the frame", () => {
    const writer = new JuteWriter()
    for (const count of [3, 20]) {
      for (const length of [-1, -2, 1000, 2 ** 31 - 1]) {
        writer.int(count)
        for (let i = 0; i < count; i++) writer.ustring(`child-${i}`)
        const bytes = writer.take()
        new DataView(bytes.buffer).setInt32(4 + 2 * 11, length)
        assert.strictEqual(fails(Jute.decode(children, bytes)).field, "children[2]")
      }
    }
  })

  it("do not reach beyond their frame, though the chunk has more", () => {
    const some = Array.from({ length: 20 }, (_, i) => `child-${i}`)
    const bytes = Jute.encode(children, { children: some })
    const chunk = Hostile.concat(bytes, new TextEncoder().encode("beyond"))
    const last = bytes.length - some[19]!.length - 4
    for (const more of [1, 2, 3, 4, 5, 6]) {
      new DataView(chunk.buffer).setInt32(last, some[19]!.length + more)
      const reader = new JuteReader(chunk, 0, bytes.length)
      assert.strictEqual(fails(Jute.attempt(children, reader)).field, "children[19]")
    }
  })
})
