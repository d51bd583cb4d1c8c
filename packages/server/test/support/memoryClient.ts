/**
 * A session at one member in memory that says and judges nothing by itself, under the clock of a test.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { connectRequest, encodeRequest, framed } from "@effect-zookeeper/test-kit/RequestFrames"
import * as Effect from "effect/Effect"

const replyHeader = Jute.codec(Records.ReplyHeader)

interface Answer {
  readonly xid: number
  readonly err: number
}

export type MemoryClient = Effect.Success<ReturnType<typeof dial>>

/** Dials a member, counted from 0, and asks for a session; whether it gets one is for the test to see. */
export const dial = (member: number, resumed = 0n, passwd: Uint8Array | null = null) =>
  Effect.gen(function* () {
    const transport = yield* Transport
    const address = { host: `memory-${member + 1}`, port: 2181 }
    const connection = yield* Effect.orDie(transport.connect(address, address))
    const splitter = new Frame.FrameSplitter(0x7fffffff)
    let session: bigint | undefined
    let isFirst = true
    let isClosed = false
    let answers: Array<Answer> = []
    const onFrame = (bytes: Uint8Array, start: number, end: number) => {
      const reader = new JuteReader(bytes, start, end)
      if (isFirst) {
        isFirst = false
        const reply = Handshake.connectReply.read(reader)
        session = reply._tag === "Answered" ? reply.response.sessionId : 0n
        return
      }
      const { err, xid } = replyHeader.read(reader)
      if (xid !== Operations.Xid.notification) answers.push({ xid, err })
    }
    const listen = Effect.forever(
      Effect.map(connection.pull, (chunks) => {
        for (const chunk of chunks) splitter.push(chunk, onFrame)
      })
    )
    const over = Effect.sync(() => {
      isClosed = true
    })
    yield* Effect.forkScoped(Effect.catch(listen, () => over))
    const write = (frame: Uint8Array) => Effect.ignore(connection.write(frame))
    yield* write(Frame.encode(Handshake.connectRequest, connectRequest({ timeOut: 4_000, sessionId: resumed, passwd })))
    return {
      /** Zero where the server has refused it, undefined where it has not answered. */
      session: () => session,
      send: <O extends Operation.Any>(row: O, request: Operation.Request<O>, xid: number) =>
        write(framed(encodeRequest(row, request, xid))),
      ping: write(framed(encodeRequest(Operations.ping, undefined, Operations.Xid.ping))),
      /** The replies since the last look, without events. */
      answers: (): ReadonlyArray<Answer> => {
        const heard = answers
        answers = []
        return heard
      },
      isClosed: () => isClosed
    }
  })
