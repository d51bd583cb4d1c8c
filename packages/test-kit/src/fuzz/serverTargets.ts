/**
 * The embedded server: requests one by one, and whole connections byte by byte.
 */
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as Handshake from "@effect-zookeeper/server/internal/requests/Handshake"
import * as Requests from "@effect-zookeeper/server/internal/requests/Requests"
import { releases } from "@effect-zookeeper/server/internal/state/Release"
import { Client, type Outcome, ServerState, type Settings } from "@effect-zookeeper/server/internal/state/ServerState"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { encode } from "../internal/proxy/frameRules.ts"
import { connectRequest } from "../RequestFrames.ts"
import { must, type Target } from "./Fuzz.ts"
import { type Choose, choices, concat, pieces } from "./Mutation.ts"
import { recorded } from "./recorded.ts"

const requestHeader = Jute.codec(Records.RequestHeader)
const replyHeader = Jute.codec(Records.ReplyHeader)

/** Requests as frames without a length: those of the codecs' corpora with a header before them, and recorded ones. */
const requestsOf = (codecs: ReadonlyArray<Target>): ReadonlyArray<Uint8Array> => [
  ...Operations.all.flatMap(({ name, opCode }) => {
    const bodies = codecs.find((target) => target.name === `${name} request`)?.corpus ?? []
    const header = Jute.encode(requestHeader, { xid: 7, type: opCode })
    return bodies.slice(0, 40).map((body) => concat(header, body))
  }),
  ...recorded().flatMap(({ bytes, direction, op }) => (direction === "request" && op !== "connect" ? [bytes] : []))
]

const settings: Settings = {
  tickTime: 2000,
  syncLimit: 5,
  minSessionTimeout: 4000,
  maxSessionTimeout: 40_000,
  superDigest: undefined,
  extendedTypes: true,
  enforceQuota: true,
  reconfigEnabled: true,
  readOnlyMode: false,
  localSessions: true,
  release: releases["3.8"]
}

const time = { wall: 1_700_000_000_000, monotonic: 1000 }

const connected = () => {
  const state = new ServerState(settings, { replicas: 1, startedAt: time.wall })
  const client = new Client(state.replicas[0]!, [{ scheme: "ip", id: "127.0.0.1" }])
  Handshake.connect(state, client, connectRequest(), time)
  return { state, client }
}

/** The bytes of a reply. */
const encodeReply = ({ reply }: Outcome): void => {
  if (reply === undefined) return
  const writer = new JuteWriter()
  replyHeader.write(writer, reply)
  if (reply.row !== undefined && reply.response !== undefined) reply.row.response.write(writer, reply.response)
}

/** One request to a server that has seen a few others. */
const request = (requests: ReadonlyArray<Uint8Array>): Target => ({
  name: "server: a request",
  judges: true,
  allowance: 2 * 1024 * 1024,
  corpus: requests,
  run: (input, choose) => {
    const { client, state } = connected()
    for (const frame of few(requests, choose)) {
      encodeReply(Requests.apply(state, client, new JuteReader(frame), time))
      if (client.session === undefined) return "refused"
    }
    const outcome = Requests.apply(state, client, new JuteReader(input), time)
    encodeReply(outcome)
    must(outcome.reply !== undefined || outcome.toDisconnect.has(client), "neither an answer nor an end")
    const isRefused = outcome.reply === undefined || outcome.reply.err !== 0
    return isRefused ? "refused" : "accepted"
  }
})

const few = (requests: ReadonlyArray<Uint8Array>, choose: Choose): ReadonlyArray<Uint8Array> =>
  Array.from({ length: choose(3) }, () => requests[choose(requests.length)]!)

/** A connection that sends anything, to a server that others go on using. */
const connection = (requests: ReadonlyArray<Uint8Array>): Target => {
  const choose = choices(1)
  const hellos = recorded().flatMap(({ bytes, direction, op }) =>
    direction === "request" && op === "connect" ? [bytes] : []
  )
  const stream = () =>
    concat(
      encode(hellos[choose(hellos.length)]!),
      ...few(requests, choose).map((body) => encode(body)),
      ...few(requests, choose).map((body) => encode(body))
    )
  const words = ["ruok", "srvr", "stat", "cons", "mntr", "conf", "envi", "wchs", "isro", "kill"].map((word) =>
    new TextEncoder().encode(word)
  )
  return {
    name: "server: a connection",
    judges: true,
    allowance: 8 * 1024 * 1024,
    corpus: [...Array.from({ length: 200 }, stream), ...words],
    run: (input, choose) =>
      Effect.runSync(
        Effect.scoped(
          Effect.gen(function* () {
            const context = yield* Layer.build(Layer.fresh(EmbeddedServer.layerMemory))
            const transport = Context.get(context, Transport)
            const address = { host: "memory", port: 2181 }
            const scope = yield* Scope.make()
            const stranger = yield* Effect.provideService(transport.connect(address, address), Scope.Scope, scope)
            let isOpen = true
            for (const piece of pieces(input, choose)) {
              // A server that throws is a defect, and ends this.
              isOpen = Result.isSuccess(yield* Effect.result(stranger.write(piece)))
              if (!isOpen) break
            }
            yield* Scope.close(scope, Exit.void)
            const answer = yield* FourLetterWord.ask(transport, address, address, "ruok")
            must(answer === "imok", `a server that answers ${answer}`)
            return isOpen ? ("accepted" as const) : ("refused" as const)
          })
        )
      )
  }
}

/** `codecs` are the targets of the codecs, whose corpora the requests are made of. */
export const serverTargets = (codecs: ReadonlyArray<Target>): ReadonlyArray<Target> => {
  const requests = requestsOf(codecs)
  return [request(requests), connection(requests)]
}
