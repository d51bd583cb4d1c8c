/**
 * A server that behaves as ClickHouse Keeper does where that differs from ZooKeeper: an embedded server behind a proxy that
 * changes and refuses frames.
 *
 * - It resumes no session: each connection gets a new one, and the one before lives on until its timeout.
 * - Its answer to the handshake has no last byte and no password, and says so while it has no leader.
 * - It closes the connection without a word on an operation that it does not have.
 * - It answers no request to end a session, and closes the connection once the session has ended.
 * - It announces its newer operations as flags in `/keeper/feature_flags`, which releases before 2023 do not have.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { clientOf } from "./conformance/Target.ts"
import * as FaultProxy from "./FaultProxy.ts"

/** A flag by which Keeper announces operations of ZooKeeper. */
export type Feature = "multiRead" | "persistentWatches" | "createWithStats"

export interface Options {
  /** The flags that it announces; default `["multiRead"]`, as the releases of 2023. Undefined announces nothing. */
  readonly features?: ReadonlyArray<Feature> | undefined
  /** As those of the embedded server. */
  readonly server?: EmbeddedServer.Options | undefined
}

export interface KeeperServer {
  readonly connectString: string
  /** Ends connections, and counts frames. */
  readonly proxy: FaultProxy.FaultProxy
  /** The server behind it, whose sessions and znodes are those of Keeper. */
  readonly embedded: EmbeddedServer.EmbeddedServer["Service"]
  /** Whether it has a leader; it refuses sessions without one. */
  readonly setLeader: (hasLeader: boolean) => Effect.Effect<void>
}

/** Starts a server on a free port. */
export const make = Effect.fnUntraced(function* (
  options: Options = { features: ["multiRead"] }
): Effect.fn.Return<KeeperServer, never, Scope.Scope> {
  const layer = Layer.fresh(EmbeddedServer.layer(options.server))
  const embedded = Context.get(yield* Effect.orDie(Layer.build(layer)), EmbeddedServer.EmbeddedServer)
  if (options.features !== undefined) yield* announce(embedded.connectString, options.features)
  const proxy = yield* FaultProxy.make({ host: "127.0.0.1", port: Number(embedded.connectString.split(":")[1]) })
  const rule = (direction: FaultProxy.Direction, op: FaultProxy.FrameKind, action: FaultProxy.FrameAction) =>
    proxy.rule({ match: { direction, op }, action, count: Number.POSITIVE_INFINITY })
  let protocolVersion = 0
  yield* rule("up", "connect", { _tag: "Edit", edit: editRequest })
  const editResponse = (frame: Uint8Array) =>
    edited(Handshake.connectResponse, frame, (response) => asKeeper(response, protocolVersion))
  yield* rule("down", "connect", { _tag: "Edit", edit: editResponse })
  for (const { opCode } of lackingOperations(options.features ?? [])) {
    yield* rule("up", opCode, { _tag: "DropAndReset" })
  }
  yield* rule("down", Operations.closeSession.opCode, { _tag: "DropAndReset" })
  const setLeader = (hasLeader: boolean) =>
    Effect.sync(() => {
      protocolVersion = hasLeader ? 0 : NOT_READY
    })
  return { connectString: proxy.connectString, proxy, embedded, setLeader }
})

// ---- internal

/** The numbers of the flags, and their operations. */
const features: Record<Feature, { readonly flag: number; readonly operations: ReadonlyArray<Operation.Any> }> = {
  multiRead: { flag: 1, operations: [Operations.multiRead] },
  persistentWatches: {
    flag: 7,
    operations: [Operations.addWatch, Operations.checkWatches, Operations.removeWatches, Operations.setWatches2]
  },
  createWithStats: { flag: 8, operations: [Operations.create2] }
}

/** The `protocolVersion` of a server without a leader. */
const NOT_READY = 42

const noPassword = new Uint8Array(16)

const asNewSession = (request: Handshake.ConnectRequest): Handshake.ConnectRequest => ({
  ...request,
  lastZxidSeen: 0n,
  sessionId: 0n,
  passwd: noPassword
})

const asKeeper = (response: Handshake.ConnectResponse, protocolVersion: number): Handshake.ConnectResponse => ({
  ...response,
  protocolVersion,
  passwd: noPassword,
  readOnly: undefined
})

const edited = <A>(codec: Jute.Codec<A>, frame: Uint8Array, edit: (value: A) => A): Uint8Array =>
  Jute.encode(codec, edit(Result.getOrThrow(Jute.decode(codec, frame))))

const editRequest = (frame: Uint8Array): Uint8Array => edited(Handshake.connectRequest, frame, asNewSession)

/** The operations of ZooKeeper that it closes the connection on. */
const lackingOperations = (announced: ReadonlyArray<Feature>): ReadonlyArray<Operation.Any> => {
  const known = new Set(announced.flatMap((feature) => features[feature].operations))
  return Operations.all.filter((operation) => !isBasic(operation) && !known.has(operation))
}

/** Whether all releases have it: the operations of ZooKeeper 3.4, without those for sessions that are resumed and for SASL. */
const isBasic = (operation: Operation.Any): boolean =>
  /^3\.[0-4]\./.test(operation.since) && operation !== Operations.sasl && operation !== Operations.setWatches

const announce = (servers: string, announced: ReadonlyArray<Feature>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const flags = new Uint8Array(2)
    for (const feature of announced) {
      const { flag } = features[feature]
      flags[flag >> 3]! |= 0x80 >> (flag & 7)
    }
    const zk = yield* clientOf(ZooKeeper.layer({ servers }))
    yield* zk.create("/keeper")
    yield* zk.create("/keeper/feature_flags", { data: flags })
  }).pipe(Effect.scoped, Effect.orDie)
