/**
 * The requests that the Java client and kazoo sent to a real 3.8.0 get the answers that were recorded, clocks, session ids
 * and the order of unordered vectors aside. The captures of a standalone server are replayed from their first frame, so
 * zxids and sequence numbers have to be the recorded ones too.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { EmbeddedServer, layer } from "../../src/EmbeddedServer.ts"
import { portOf, RawClient } from "../support/rawClient.ts"

interface GoldenFrame {
  readonly id: string
  readonly capture: string
  readonly conn: number
  readonly direction: "request" | "response" | "notification"
  readonly op: string
  readonly xid: number | null
  readonly hex: string
  readonly replyTo?: string
  readonly volatile?: ReadonlyArray<{ readonly field: string; readonly start: number; readonly end: number }>
  readonly unordered?: ReadonlyArray<string>
}

const fixture = new URL("../../../protocol/test/fixtures/frames.jsonl", import.meta.url)

const frames = readFileSync(fixture, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as GoldenFrame)

const itOverTcp = testOn(it.live, layer(), EmbeddedServer)

describe("recorded requests", () => {
  for (const capture of ["java-main", "java-watch", "java-auth", "kazoo-main", "java-chroot"]) {
    itOverTcp(`${capture} gets the recorded answers`, function* ({ connectString }) {
      const all = frames.filter((frame) => frame.capture === capture && frame.op !== "4lw")
      const compared = yield* Effect.promise(() => replay(portOf(connectString), all))
      assert.strictEqual(compared, all.filter(({ direction }) => direction !== "request").length)
      assert.isAbove(compared, 10)
    })
  }
})

interface Connection {
  readonly client: RawClient
  sessionId: bigint
  passwd: Uint8Array
}

/** Plays a capture; how many frames of the server were compared. */
const replay = async (port: number, capture: ReadonlyArray<GoldenFrame>): Promise<number> => {
  const connections = new Map<number, Connection>()
  const sessions = new Map<string, Connection>()
  let compared = 0
  for (const frame of capture) {
    const bytes = fromHex(frame.hex)
    if (frame.direction === "request") {
      let connection = connections.get(frame.conn)
      if (connection === undefined) {
        connection = { client: await RawClient.dial(port), sessionId: 0n, passwd: new Uint8Array(16) }
        connections.set(frame.conn, connection)
      }
      connection.client.raw(frame.op === "connect" ? resumed(bytes, sessions) : bytes)
      continue
    }
    const connection = connections.get(frame.conn)!
    const answer = await connection.client.next()
    assert.isDefined(answer, `${frame.id}: the connection is closed`)
    const expected = bytes.subarray(4)
    if (frame.op === "connect") {
      const { response } = answered(answer)
      const recorded = answered(expected)
      assert.strictEqual(response.timeOut, recorded.response.timeOut, frame.id)
      assert.strictEqual(response.readOnly, recorded.response.readOnly, frame.id)
      connection.sessionId = response.sessionId
      connection.passwd = response.passwd!
      sessions.set(String(recorded.response.sessionId), connection)
    } else {
      assert.strictEqual(masked(frame, answer), masked(frame, expected), `${frame.id} ${frame.op}`)
    }
    compared++
  }
  for (const { client } of connections.values()) client.close()
  return compared
}

/** A connect request for the session that has taken the recorded one's place. */
const resumed = (bytes: Uint8Array, sessions: ReadonlyMap<string, Connection>): Uint8Array => {
  const request = Jute.attempt(Handshake.connectRequest, new JuteReader(bytes, 4))
  if (request._tag === "Failure") throw request.failure
  const session = sessions.get(String(request.success.sessionId))
  if (session === undefined) return bytes
  const patched = bytes.slice()
  new DataView(patched.buffer).setBigInt64(20, session.sessionId)
  patched.set(session.passwd, 32)
  return patched
}

const answered = (bytes: Uint8Array) => {
  const reply = Handshake.decodeReply(bytes)
  if (reply._tag === "Failure") throw reply.failure
  if (reply.success._tag === "Refused") throw new Error("a handshake was refused")
  return reply.success
}

/** The frame as text: what is volatile blanked, zxids kept, and the bytes sorted where a vector has no order. */
const masked = (frame: GoldenFrame, body: Uint8Array): string => {
  const bytes = body.slice()
  for (const { end, field, start } of frame.volatile ?? []) {
    if (!/zxid/i.test(field)) bytes.fill(0, start - 4, end - 4)
  }
  if (frame.unordered === undefined || frame.unordered.length === 0) return Buffer.from(bytes).toString("hex")
  return [...bytes].sort((a, b) => a - b).join(" ")
}

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))
