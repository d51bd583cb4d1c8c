import * as Hostile from "@effect-zookeeper/test-kit/fuzz/Mutation"
import * as Arbitraries from "@effect-zookeeper/test-kit/fuzz/WireValues"
import { assert, describe, it } from "@effect/vitest"
import * as Frame from "../../src/Frame.ts"
import { JuteReader } from "../../src/JuteReader.ts"
import { JuteWriter } from "../../src/JuteWriter.ts"
import * as Operations from "../../src/Operations.ts"

const LIMIT = 1000

const streamOf = (frames: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new JuteWriter()
  for (const frame of frames) Frame.append(writer, (body) => body.raw(frame))
  return writer.take()
}

/** The frames that a splitter makes of chunks, as views. */
const split = (chunks: Iterable<Uint8Array>, splitter = new Frame.FrameSplitter(LIMIT)): Array<Uint8Array> => {
  const frames: Array<Uint8Array> = []
  for (const chunk of chunks) splitter.push(chunk, (bytes, start, end) => frames.push(bytes.subarray(start, end)))
  return frames
}

const hex = (frames: ReadonlyArray<Uint8Array>) => frames.map((frame) => Buffer.from(frame).toString("hex"))

const numbered = (length: number, from = 1) => Uint8Array.from({ length }, (_, i) => from + i)

const lengthOf = (length: number) => {
  const writer = new JuteWriter()
  writer.int(length)
  return writer.take()
}

const cut = (stream: Uint8Array, at: ReadonlyArray<number>): Array<Uint8Array> =>
  [0, ...at].map((start, i) => stream.slice(start, at[i] ?? stream.length))

const refused = (run: () => void): Frame.FrameLengthError => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, Frame.FrameLengthError)
    return error
  }
  throw new Error("should have been refused")
}

describe("every chunking of a stream gives the same frames", () => {
  it("all splits of a small stream, frames without a byte among them", () => {
    const frames = [numbered(3), new Uint8Array(0), numbered(1, 9)]
    const stream = streamOf(frames)
    assert.lengthOf(stream, 16)
    // Each bit says whether the stream is cut after that byte.
    for (let cuts = 0; cuts < 1 << (stream.length - 1); cuts++) {
      const at: Array<number> = []
      for (let i = 0; i < stream.length - 1; i++) if ((cuts & (1 << i)) !== 0) at.push(i + 1)
      const splitter = new Frame.FrameSplitter(LIMIT)
      const got = split(cut(stream, at), splitter)
      if (got.length !== 3 || got[0]!.length !== 3 || got[1]!.length !== 0 || got[2]!.length !== 1) {
        assert.deepStrictEqual(hex(got), hex(frames), `cut at ${at}`)
      }
      assert.strictEqual(splitter.pending, 0)
      if (cuts % 97 === 0) assert.deepStrictEqual(hex(got), hex(frames))
    }
  })

  it.prop(
    "random splits of a large one",
    [Arbitraries.seed],
    ([seed]) => {
      const choose = Hostile.choices(seed)
      const frames = Array.from({ length: 20 }, () => numbered(choose(choose(4) === 0 ? LIMIT + 1 : 40), choose(256)))
      const stream = streamOf(frames)
      const at = Array.from({ length: choose(60) }, () => choose(stream.length + 1)).sort((a, b) => a - b)
      const splitter = new Frame.FrameSplitter(LIMIT)
      assert.deepStrictEqual(hex(split(cut(stream, at), splitter)), hex(frames))
      assert.strictEqual(splitter.pending, 0)
    },
    { arbitrary: { runs: 200 } }
  )

  it("one byte at a time", () => {
    const frames = [numbered(LIMIT), numbered(0), numbered(300), numbered(1)]
    const stream = streamOf(frames)
    const got = split(Array.from(stream, (byte) => Uint8Array.of(byte)))
    assert.deepStrictEqual(hex(got), hex(frames))
  })

  it("chunks without a byte change nothing", () => {
    const stream = streamOf([numbered(5)])
    const nothing = new Uint8Array(0)
    const got = split([nothing, stream.slice(0, 2), nothing, stream.slice(2, 6), nothing, stream.slice(6), nothing])
    assert.deepStrictEqual(hex(got), hex([numbered(5)]))
  })
})

describe("frames", () => {
  it("of one chunk are handed on without a copy, those across chunks in bytes of their own", () => {
    const stream = streamOf([numbered(4), numbered(6)])
    const [whole] = split([stream])
    assert.strictEqual(whole!.buffer, stream.buffer)
    const first = stream.slice(0, 10)
    const second = stream.slice(10)
    const [one, two] = split([first, second])
    assert.strictEqual(one!.buffer, first.buffer)
    assert.notStrictEqual(two!.buffer, first.buffer)
    assert.notStrictEqual(two!.buffer, second.buffer)
  })

  it("of a chunk are all copied, or it is said that one is a view of it", () => {
    const cases: ReadonlyArray<readonly [cut: ReadonlyArray<number>, copied: ReadonlyArray<boolean>]> = [
      [[], [false]],
      [[6], [true, true]],
      [[600], [true, false]],
      [
        [300, 700],
        [true, true, false]
      ]
    ]
    for (const [cuts, copied] of cases) {
      const splitter = new Frame.FrameSplitter(LIMIT)
      const stream = streamOf(cuts.length === 1 && cuts[0] === 6 ? [numbered(4)] : [numbered(800), numbered(5)])
      const ends = [...cuts, stream.length]
      const said = ends.map((end, index) => splitter.push(stream.slice(ends[index - 1] ?? 0, end), () => {}))
      assert.deepStrictEqual(said, copied, cuts.join())
    }
    // Of a large chunk small frames are copied, and a large one is not.
    for (const [last, copied] of [
      [10, true],
      [Frame.PIECE, false]
    ] as const) {
      const frames = [...Array.from({ length: 20 }, (_, i) => numbered(1000, i)), numbered(last)]
      const stream = streamOf(frames)
      const got: Array<Uint8Array> = []
      const splitter = new Frame.FrameSplitter(2 * Frame.PIECE)
      const said = splitter.push(stream, (bytes, start, end) => got.push(bytes.subarray(start, end)))
      assert.strictEqual(said, copied)
      if (said) stream.fill(0)
      assert.deepStrictEqual(hex(got), hex(frames))
    }
  })

  it("stay as they are while later chunks come", () => {
    const splitter = new Frame.FrameSplitter(LIMIT)
    const frames = Array.from({ length: 30 }, (_, i) => numbered(20 + i, i))
    const stream = streamOf(frames)
    const kept: Array<Uint8Array> = []
    const seen: Array<string> = []
    for (let at = 0; at < stream.length; at += 7) {
      for (const frame of split([stream.slice(at, at + 7)], splitter)) {
        kept.push(frame)
        seen.push(...hex([frame]))
      }
    }
    assert.deepStrictEqual(hex(kept), seen)
    assert.deepStrictEqual(seen, hex(frames))
  })

  it("wait in pending until they are whole", () => {
    const splitter = new Frame.FrameSplitter(LIMIT)
    const stream = streamOf([numbered(10)])
    for (let at = 0; at < stream.length; at++) {
      assert.strictEqual(splitter.pending, at)
      const frames = split([stream.slice(at, at + 1)], splitter)
      assert.lengthOf(frames, at === stream.length - 1 ? 1 : 0)
    }
    assert.strictEqual(splitter.pending, 0)
  })
})

describe("lengths", () => {
  it("up to the limit are accepted, the limit included", () => {
    assert.lengthOf(split([streamOf([numbered(LIMIT)])])[0]!, LIMIT)
    assert.lengthOf(split([streamOf([])]), 0)
  })

  for (const length of [LIMIT + 1, 2 ** 31 - 1, -1, -2, -(2 ** 31)]) {
    it(`of ${length} are refused as soon as the fourth byte is there, after the frames before it`, () => {
      const stream = Hostile.concat(streamOf([numbered(2)]), lengthOf(length))
      for (let at = 0; at < stream.length; at++) {
        const splitter = new Frame.FrameSplitter(LIMIT)
        const frames: Array<Uint8Array> = []
        const error = refused(() => {
          for (const chunk of [stream.slice(0, at), stream.slice(at)]) {
            splitter.push(chunk, (bytes, start, end) => frames.push(bytes.subarray(start, end)))
          }
        })
        assert.strictEqual(error.length, length)
        assert.strictEqual(error.limit, LIMIT)
        assert.include(error.message, `a frame of ${length} bytes was announced; 0 to ${LIMIT} are accepted`)
        assert.deepStrictEqual(hex(frames), hex([numbered(2)]))
      }
    })
  }

  it("cost memory only as bytes come: a large frame that is announced and never sent costs nothing", () => {
    const announced = 2 ** 31 - 1
    const splitters = Array.from({ length: 1000 }, () => new Frame.FrameSplitter(announced))
    const before = process.memoryUsage().arrayBuffers
    for (const splitter of splitters) {
      // Would be 2 TB.
      assert.lengthOf(split([lengthOf(announced), numbered(10), numbered(200), numbered(300)], splitter), 0)
      assert.strictEqual(splitter.pending, 514)
    }
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 10_000_000)
  })

  it("a frame put together keeps no more than itself alive", () => {
    const frame = numbered(100_000, 0)
    const stream = streamOf([frame])
    const chunks: Array<Uint8Array> = []
    for (let at = 0; at < stream.length; at += 1460) chunks.push(stream.slice(at, at + 1460))
    const [got] = split(chunks, new Frame.FrameSplitter(200_000))
    assert.deepStrictEqual(Buffer.compare(got!, frame), 0)
    assert.strictEqual(got!.buffer.byteLength, stream.length)
  })
})

describe("small frames of a large chunk", () => {
  it("keep no more than a piece alive, and are what they were in the chunk, however it is cut", () => {
    const frames = Array.from({ length: 300 }, (_, index) => numbered((index * 37) % 900, index % 100))
    const stream = streamOf(frames)
    assert.isAbove(stream.length, 4 * Frame.PIECE)
    for (const at of [[], [3], [20_000], [40_001, 40_003], [Frame.PIECE], [Frame.PIECE + 1, 90_000]]) {
      const got = split(cut(stream, at))
      assert.deepStrictEqual(hex(got), hex(frames))
      for (const frame of got) assert.isAtMost(frame.buffer.byteLength, Math.max(Frame.PIECE, 900))
    }
  })

  it("that is larger than a piece is handed on without a copy, in its turn", () => {
    const frames = [numbered(10), numbered(40_000), numbered(20), numbered(Frame.PIECE), numbered(30)]
    const stream = streamOf(frames)
    const got = split([stream], new Frame.FrameSplitter(100_000))
    assert.deepStrictEqual(hex(got), hex(frames))
    assert.strictEqual(got[1]!.buffer, stream.buffer)
    assert.strictEqual(got[3]!.buffer, stream.buffer)
    assert.isAtMost(got[4]!.buffer.byteLength, Frame.PIECE)
  })

  it("after one with a wrong length are not looked at", () => {
    const stream = new Uint8Array([...streamOf(Array.from({ length: 40 }, () => numbered(500))), 0xff, 0, 0, 0])
    const seen: Array<Uint8Array> = []
    const splitter = new Frame.FrameSplitter(LIMIT)
    const error = refused(() => splitter.push(stream, (bytes, start, end) => seen.push(bytes.subarray(start, end))))
    assert.isBelow(error.length, 0)
    assert.lengthOf(seen, 40)
  })
})

describe("a frame beyond the limit, where events have one of their own", () => {
  const eventful = () => {
    const splitter = new Frame.FrameSplitter(LIMIT)
    splitter.eventLimit = 3 * LIMIT
    return splitter
  }
  /** A frame of this length whose first four bytes are `xid`. */
  const frameOf = (xid: number, length: number) => {
    const frame = new Uint8Array(length)
    new DataView(frame.buffer).setInt32(0, xid)
    return frame
  }

  it("is handed on when it is an event, wherever the stream is cut", () => {
    const frames = [frameOf(1, 8), frameOf(-1, 2 * LIMIT), frameOf(2, 8)]
    const stream = streamOf(frames)
    for (let at = 1; at < 40; at++) {
      assert.deepStrictEqual(hex(split(cut(stream, [at]), eventful())), hex(frames), `cut at ${at}`)
      assert.deepStrictEqual(hex(split(cut(stream, [at, at + 1]), eventful())), hex(frames), `cut at ${at}, twice`)
    }
  })

  it("is refused when its first four bytes have told that it is another's, or when it is larger still", () => {
    for (const frame of [frameOf(7, 2 * LIMIT), frameOf(-1, 4 * LIMIT)]) {
      for (let at = 1; at < 8; at++) {
        const splitter = eventful()
        const [first, rest] = cut(streamOf([frame]).slice(0, 9), [at])
        assert.lengthOf(split([first!], splitter), 0)
        const error = refused(() => split([rest!], splitter))
        const xid = new DataView(frame.buffer).getInt32(0)
        assert.deepInclude({ ...error }, { length: frame.length, limit: LIMIT, xid })
      }
    }
  })
})

describe("encoding", () => {
  it("append writes the length before the body and returns it", () => {
    const writer = new JuteWriter(1)
    const sizes = [0, 3, 500].map((size) => Frame.append(writer, (body) => body.raw(numbered(size))))
    assert.deepStrictEqual(sizes, [0, 3, 500])
    assert.deepStrictEqual(hex(split([writer.take()])), hex([numbered(0), numbered(3), numbered(500)]))
  })

  it("encode makes one frame of one value", () => {
    const bytes = Frame.encode(Operations.sync.request, { path: "/a" })
    assert.strictEqual(Buffer.from(bytes).toString("hex"), "00000006" + "00000002" + "2f61")
    assert.strictEqual(new JuteReader(bytes).int(), bytes.length - 4)
  })

  it("the most that servers accept is one byte less than 1 MiB", () => {
    assert.strictEqual(Frame.MAX_REQUEST, 2 ** 20 - 1)
  })
})
