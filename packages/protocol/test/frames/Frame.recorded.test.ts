/**
 * Every frame that the Java client, kazoo and a real server exchanged means what was recorded, and is written back to
 * the same bytes. The recording was decoded by a program that shares no code with this one.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as ErrorCode from "../../src/ErrorCode.ts"
import * as Frame from "../../src/Frame.ts"
import * as Handshake from "../../src/Handshake.ts"
import * as Jute from "../../src/Jute.ts"
import { JuteReader } from "../../src/JuteReader.ts"
import { JuteWriter } from "../../src/JuteWriter.ts"
import type * as Operation from "../../src/Operation.ts"
import type { MultiOp, MultiResult } from "../../src/internal/operations/multi.ts"
import * as Operations from "../../src/Operations.ts"
import * as Records from "../../src/Records.ts"
import * as ServerError from "../../src/ServerError.ts"
import { succeeds } from "../support/results.ts"

interface GoldenFrame {
  readonly id: string
  readonly capture: string
  readonly direction: "request" | "response" | "notification"
  readonly op: string
  readonly type?: number
  readonly xid: number | null
  readonly zxid?: number
  readonly err?: number
  readonly replyTo?: string
  readonly hex: string
  readonly decoded: unknown
}

// Buffers were recorded with their text beside the hex, for human readers.
const withoutText = (key: string, value: unknown) => (key === "utf8" ? undefined : value)

const frames: ReadonlyArray<GoldenFrame> = readFileSync(new URL("../fixtures/frames.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line, withoutText) as GoldenFrame)
  .filter((frame) => frame.op !== "4lw")

const byId = new Map(frames.map((frame) => [frame.id, frame]))
const captures = [...new Set(frames.map((frame) => frame.capture))]

const requestHeader = Jute.codec(Records.RequestHeader)
const replyHeader = Jute.codec(Records.ReplyHeader)
const watcherEvent = Jute.codec(Records.WatcherEvent)

describe("recorded frames", () => {
  it("are of all the captures", () => {
    assert.lengthOf(captures, 12)
    assert.isAbove(frames.length, 600)
  })

  for (const capture of captures) {
    describe(capture, () => {
      for (const direction of ["request", "response", "notification"] as const) {
        const some = frames.filter((frame) => frame.capture === capture && frame.direction === direction)
        if (some.length === 0) continue
        it(`its ${some.length} ${direction}s decode to what was recorded and encode to the same bytes`, () => {
          for (const frame of some) checkFrame(frame)
        })
      }
    })
  }

  it("errors that have a class are in the row of their operation", () => {
    let checked = 0
    for (const { err, op } of frames) {
      const name = ErrorCode.nameOf(err ?? 0)
      if (!(name in ServerError.classes)) continue
      assert.include(rowOf(op).errors, name, op)
      checked++
    }
    assert.isAbove(checked, 20)
  })
})

describe("frames that were not recorded", () => {
  it("a multiRead refused as a whole has a body that is not its response: the header alone is read", () => {
    const bytes = fromHex("00000003" + "0000000000000007" + "fffffffb" + "ffffffff" + "01" + "ffffffff")
    const reader = new JuteReader(bytes)
    assert.deepStrictEqual(succeeds(Jute.attempt(replyHeader, reader)), { xid: 3, zxid: 7n, err: -5 })
    assert.strictEqual(reader.remaining, 9)
  })

  it("a bare reply header instead of a connect response is a refusal", () => {
    const bytes = fromHex("00000000" + "0000000000000000" + "ffffff89")
    assert.deepStrictEqual(succeeds(Handshake.decodeReply(bytes)), { _tag: "Refused", code: -119 })
  })

  it("a connect response of a server before 3.4 has no readOnly byte, and is written without it", () => {
    const recorded = frames.find(({ direction, op }) => op === "connect" && direction === "response")!
    const bytes = body(recorded).subarray(0, -1)
    const reply = succeeds(Handshake.decodeReply(bytes))
    assert.strictEqual(reply._tag, "Answered")
    if (reply._tag !== "Answered") return
    assert.strictEqual(reply.response.readOnly, undefined)
    assert.deepStrictEqual(Jute.encode(Handshake.connectResponse, reply.response), bytes)
  })

  it("a connect request of a client before 3.4 has no readOnly byte, and is written without it", () => {
    const recorded = frames.find(({ direction, op }) => op === "connect" && direction === "request")!
    const bytes = body(recorded).subarray(0, -1)
    const request = succeeds(Jute.decode(Handshake.connectRequest, bytes))
    assert.strictEqual(request.readOnly, undefined)
    assert.deepStrictEqual(Jute.encode(Handshake.connectRequest, request), bytes)
  })

  it("a reply is found within a larger chunk", () => {
    const recorded = frames.find(({ direction, op }) => op === "connect" && direction === "response")!
    const bytes = body(recorded)
    const chunk = new Uint8Array(bytes.length + 20).fill(0xff)
    chunk.set(bytes, 7)
    assert.deepStrictEqual(Handshake.decodeReply(chunk, 7, 7 + bytes.length), Handshake.decodeReply(bytes))
  })
})

// -----------------------------------------------------------------------------
// what a frame holds
// -----------------------------------------------------------------------------

const checkFrame = (frame: GoldenFrame) => {
  const reader = new JuteReader(body(frame))
  const { meaning, write } = read(frame, reader)
  const { decoded, err, type, xid, zxid } = frame
  assert.deepStrictEqual(recorded(meaning), { xid, zxid, err, type, decoded }, frame.id)
  assert.strictEqual(reader.remaining, 0, frame.id)
  const writer = new JuteWriter()
  Frame.append(writer, write)
  assert.strictEqual(Buffer.from(writer.take()).toString("hex"), frame.hex, frame.id)
}

interface Read {
  readonly meaning: Record<string, unknown>
  readonly write: (writer: JuteWriter) => void
}

const read = (frame: GoldenFrame, reader: JuteReader): Read => {
  const none = { xid: null, zxid: undefined, err: undefined, type: undefined }
  if (frame.op === "connect") {
    const codec: Jute.Codec<any> = frame.direction === "request" ? Handshake.connectRequest : Handshake.connectResponse
    const decoded = codec.read(reader)
    return { meaning: { ...none, decoded }, write: (writer) => codec.write(writer, decoded) }
  }
  if (frame.direction === "request") {
    const header = requestHeader.read(reader)
    const row = Operations.byOpCode(header.type)!
    assert.strictEqual(row.name, frame.op, frame.id)
    const decoded = row.request.read(reader)
    return {
      meaning: { ...none, ...header, decoded: shapeOf(row, "ops", decoded) },
      write: (writer) => {
        requestHeader.write(writer, header)
        row.request.write(writer, decoded)
      }
    }
  }
  const header = replyHeader.read(reader)
  const codec = bodyOf(frame, header.err)
  const decoded = codec.read(reader)
  const shape =
    frame.direction === "notification" ? decoded : shapeOf(rowOf(byId.get(frame.replyTo!)!.op), "results", decoded)
  return {
    meaning: { ...none, ...header, decoded: shape ?? {} },
    write: (writer) => {
      replyHeader.write(writer, header)
      codec.write(writer, decoded)
    }
  }
}

const bodyOf = (frame: GoldenFrame, err: number): Jute.Codec<any> => {
  if (frame.direction === "notification") return watcherEvent
  const row = rowOf(byId.get(frame.replyTo!)!.op)
  // A server that refuses a SASL token says so in the header and sends the response nevertheless.
  return err === 0 || row === Operations.sasl ? row.response : Jute.empty
}

const rowOf = (name: string): Operation.Any => {
  const row = Operations.all.find((row) => row.name === name)
  if (row === undefined) throw new Error(`the table has no ${name}`)
  return row
}

const body = (frame: GoldenFrame): Uint8Array => fromHex(frame.hex).subarray(4)

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

// -----------------------------------------------------------------------------
// from our values to the form of the recording
// -----------------------------------------------------------------------------

/** Fields that were recorded as hexadecimal. */
const hexadecimal: ReadonlySet<string> = new Set(["sessionId", "ephemeralOwner"])

const recorded = (value: unknown, key = ""): unknown => {
  if (typeof value === "bigint") {
    return hexadecimal.has(key) ? `0x${BigInt.asUintN(64, value).toString(16)}` : Number(value)
  }
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") }
  if (Array.isArray(value)) return value.map((element) => recorded(element))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, recorded(field, key)]))
}

/** The recording keeps the headers within a multi and the one at its end, which our values need not name. */
const shapeOf = (row: Operation.Any, list: "ops" | "results", decoded: any): unknown => {
  if (row !== Operations.multi && row !== Operations.multiRead) return decoded ?? {}
  if (decoded === undefined) return {}
  return { [list]: decoded.map(memberOf), terminator: { type: -1, done: true, err: -1 } }
}

const memberOf = (member: MultiOp | MultiResult): unknown => {
  const header = (type: number, err: number) => ({ type, done: false, err })
  if ("error" in member) return { header: header(-1, member.error), op: "error", err: member.error }
  const { opCode } = rowOf(member.operation)
  return "request" in member
    ? { header: header(opCode, -1), op: member.operation, ...member.request }
    : { header: header(opCode, 0), op: member.operation, ...member.response }
}
