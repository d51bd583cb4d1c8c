/**
 * The codecs of the protocol, and the cutting of a stream into frames.
 */
import { FrameLengthError, FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Util from "node:util"
import { encode } from "../internal/proxy/frameRules.ts"
import { must, type Origin, type Target, type Verdict } from "./Fuzz.ts"
import { choices, type Choose, concat, noise, pieces } from "./Mutation.ts"
import { type Recorded, recorded } from "./recorded.ts"
import * as WireValues from "./WireValues.ts"

/** Made-up values for each codec. */
const VALUES = 40

/** How many of them come with long vectors of names too, which are decoded in another way. */
const LONG = 10

const names = Array.from({ length: 24 }, (_, index) => `name-${index}`)

/** The same with names in the place of every list of texts, at whatever depth. */
const lengthened = (value: unknown): unknown =>
  Array.isArray(value) && typeof value[0] === "string" ? names : WireValues.mapParts(value, lengthened)

/** Every record, both bodies of every operation, the handshake, and streams of frames. */
export const makeCodecTargets = Effect.fnUntraced(function* (seed: number): Effect.fn.Return<ReadonlyArray<Target>> {
  const frames = recorded()
  const records = WireValues.records.map(([label, schema]): WireValues.Subject => ({
    label: `record ${label}`,
    codec: Jute.codec(schema),
    values: WireValues.valuesOf(schema)
  }))
  const targets: Array<Target> = []
  for (const subject of [...records, ...WireValues.bodies, ...WireValues.handshakes]) {
    const values = yield* Effect.orDie(Arbitrary.sampleEffect(subject.values, { count: VALUES, seed }))
    const made = [...values, ...values.slice(0, LONG).map(lengthened)].map((value) => Jute.encode(subject.codec, value))
    targets.push(ofCodec(subject.label, subject.codec, [...made, ...recordedFor(subject.label, frames)]))
  }
  const replies = targets.find(({ name }) => name === "connect response")?.corpus ?? []
  const refusal = Jute.encode(Handshake.connectReply, { _tag: "Refused", code: -119 })
  targets.push(ofCodec("the first frame of a server", Handshake.connectReply, [...replies, refusal]))
  targets.push(ofFrames(frames, seed))
  return targets
})

const ofCodec = (name: string, codec: Jute.Codec<any>, corpus: ReadonlyArray<Uint8Array>): Target => ({
  name,
  corpus,
  run: (input, choose, origin) => decodeAndBack(codec, input, choose, origin)
})

/** Decodes within a larger chunk, and what was decoded must come back from its own encoding. */
const decodeAndBack = (codec: Jute.Codec<any>, input: Uint8Array, choose: Choose, origin: Origin): Verdict => {
  const before = choose(5)
  const chunk = new Uint8Array(before + input.length + 16).fill(0x41)
  chunk.set(input, before)
  const end = before + input.length
  const reader = new JuteReader(chunk, before, end)
  const decoded = Jute.attempt(codec, reader)
  must(reader.offset <= end, `it read to ${reader.offset - before} of ${input.length} bytes`)
  if (Result.isFailure(decoded)) {
    const { failure } = decoded
    must(failure instanceof JuteError && failure.message.startsWith("malformed bytes at offset"), "an odd error")
    must(failure.offset >= 0 && failure.offset <= input.length, `an error at offset ${failure.offset}`)
    return "refused"
  }
  const encoded = Jute.encode(codec, decoded.success)
  // The bytes around the frame must not be read.
  chunk.fill(0xff, 0, before)
  chunk.fill(0xff, end)
  const elsewhere = Jute.attempt(codec, new JuteReader(chunk, before, end))
  must(Result.isSuccess(elsewhere) && same(Jute.encode(codec, elsewhere.success), encoded), "it read beyond the end")
  const again = Jute.decode(codec, encoded)
  must(Result.isSuccess(again), "what was decoded and encoded cannot be decoded again")
  if (Result.isSuccess(again)) {
    must(Util.isDeepStrictEqual(again.success, decoded.success), "a round trip changed the value")
  }
  if (origin === "valid") must(same(encoded, input.subarray(0, encoded.length)), "a round trip changed the bytes")
  return "accepted"
}

/** Recorded bodies of the same kind. */
const recordedFor = (label: string, frames: ReadonlyArray<Recorded>): ReadonlyArray<Uint8Array> => {
  const take = (filter: (frame: Recorded) => boolean, header: number) =>
    frames.filter(filter).map(({ bytes }) => bytes.slice(header))
  if (label === "connect request") return take(({ direction, op }) => direction === "request" && op === "connect", 0)
  if (label === "connect response") return take(isSession, 0)
  if (label === "record WatcherEvent") return take(({ direction }) => direction === "notification", REPLY_HEADER)
  const [name, part] = label.split(" ")
  return part === "request"
    ? take(({ direction, op }) => direction === "request" && op === name, 8)
    : take(({ direction, err, op }) => direction === "response" && op === name && err === 0, REPLY_HEADER)
}

const REPLY_HEADER = Jute.codec(Records.ReplyHeader).minimumSize

/** A connect response, not the bare header that refuses one. */
const isSession = ({ bytes, direction, op }: Recorded): boolean =>
  direction === "response" && op === "connect" && bytes.length > REPLY_HEADER

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Bytes. */
const LIMIT = 10_000

/** The most bytes of which every way to cut them is tried. */
const EXHAUSTIVE = 10

/** However a stream is cut, the same frames come of it, and the same end. */
const ofFrames = (frames: ReadonlyArray<Recorded>, seed: number): Target => {
  const choose = choices(seed)
  const stream = () => {
    const count = choose(6)
    const bodies = Array.from({ length: count }, () =>
      choose(3) === 0 ? noise(300, choose) : frames[choose(frames.length)]!.bytes
    )
    return concat(...bodies.map((body) => encode(body)))
  }
  const small = Array.from({ length: 20 }, () => encode(noise(4, choose)))
  return {
    name: "a stream of frames",
    // Of all the ways to cut a small one.
    allowance: 8 * 1024 * 1024,
    corpus: [...Array.from({ length: VALUES * 3 }, stream), ...small],
    run: (input, choose) => {
      const whole = split([input])
      const others = input.length <= EXHAUSTIVE ? everyCut(input) : [pieces(input, choose), pieces(input, choose)]
      for (const chunks of others) {
        const other = split(chunks)
        must(other.length === whole.length && other.every((text, at) => text === whole[at]), "cuts changed the frames")
      }
      return whole.at(-1)?.startsWith("refused") === true ? "refused" : "accepted"
    }
  }
}

/** The frames as text; last what the end was. */
const split = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const splitter = new FrameSplitter(LIMIT)
  const seen: Array<string> = []
  let size = 0
  try {
    for (const chunk of chunks) {
      size += chunk.length
      splitter.push(chunk, (bytes, start, end) => {
        must(start >= 0 && end <= bytes.length && end - start <= LIMIT, "a frame beyond its chunk or the limit")
        seen.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"))
      })
      must(splitter.pending <= size, "more is pending than came")
    }
    seen.push(`pending ${splitter.pending}`)
  } catch (error) {
    if (!(error instanceof FrameLengthError)) throw error
    must(error.length < 0 || error.length > LIMIT, "a length that is right was refused")
    seen.push(`refused ${error.length}`)
  }
  return seen
}

const everyCut = (input: Uint8Array): ReadonlyArray<ReadonlyArray<Uint8Array>> =>
  Array.from({ length: 1 << Math.max(input.length - 1, 0) }, (_, cuts) => {
    const chunks: Array<Uint8Array> = []
    let start = 0
    for (let at = 1; at <= input.length; at++) {
      if (at < input.length && (cuts & (1 << (at - 1))) === 0) continue
      chunks.push(input.slice(start, at))
      start = at
    }
    return chunks
  })
