/**
 * A ZooKeeper in the process: the real protocol, in memory, without a JVM.
 *
 * It answers every operation as Apache ZooKeeper 3.8.0 does, to clients of any language over TCP (`layer`) or to clients
 * in the same process without a socket (`layerMemory`), and does to them what a real server cannot be made to do. It
 * keeps nothing: what was written is gone with the Scope.
 *
 * @since 0.1.0
 */
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Match } from "./Fault.ts"
import { makeControls } from "./internal/net/controls.ts"
import { ServerRuntime } from "./internal/net/ServerRuntime.ts"
import { makeMemoryTransport } from "./internal/net/memoryListener.ts"
import { type Options, runtimeSettings, SUPER_DIGEST } from "./internal/net/settings.ts"
import { ListenError } from "./ListenError.ts"
import type { ServerTls } from "./ServerTls.ts"
import type { Snapshot } from "./internal/state/ServerState.ts"

export type { Options } from "./internal/net/settings.ts"
export type { Snapshot } from "./internal/state/ServerState.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface ListenOptions extends Options {
  /** The port of the first member; each further member has the next port. Default 0: any free port. */
  readonly port?: number | undefined
  /**
   * The address to listen on. Default `127.0.0.1`: the server is open to everybody who reaches it. One beyond loopback is
   * refused with `ListenError` unless `superDigest` is given, for everybody knows the default one's password.
   */
  readonly host?: string | undefined
  /** Speaks TLS on all members. */
  readonly tls?: ServerTls | undefined
}

// -----------------------------------------------------------------------------
// the service
// -----------------------------------------------------------------------------

/**
 * A session as the server knows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo {
  readonly id: bigint
  /** As negotiated. */
  readonly timeout: Duration.Duration
  /** Whether there is a connection that speaks for it. */
  readonly connected: boolean
  /** Paths of its ephemeral znodes. */
  readonly ephemerals: ReadonlyArray<string>
}

/**
 * A running server and what a test can do to it. Members count from 0; the first one leads the others, until it is cut off.
 *
 * @category services
 * @since 0.1.0
 */
export class EmbeddedServer extends Context.Service<
  EmbeddedServer,
  {
    /** All members, as clients write them. */
    readonly connectString: string
    readonly sessions: Effect.Effect<ReadonlyArray<SessionInfo>>
    /** Ends a session as its timeout would. False if there is none of that id. */
    readonly expireSession: (id: bigint) => Effect.Effect<boolean>
    /** Ends all connections. The sessions stay, and new connections are taken. */
    readonly disconnectAll: Effect.Effect<void>
    /** Answers nothing more and lets nothing expire, as a process that is stopped. Connections stay open. */
    readonly pause: Effect.Effect<void>
    /** Goes on, first with what was sent meanwhile, and then with what is overdue. */
    readonly resume: Effect.Effect<void>
    /** All znodes and sessions, as they are now. */
    readonly snapshot: Effect.Effect<Snapshot>
    /**
     * Goes back to a snapshot, of this server or another one, and ends all connections. Sessions opened since are gone,
     * those of the snapshot are there again. The zxid goes on in a new epoch, above all that the snapshot's server and this
     * one have had in theirs, so that no client is refused for having seen too much.
     */
    readonly restore: (snapshot: Snapshot) => Effect.Effect<void>
    /** The next requests that match are done, but instead of an answer the connection ends. */
    readonly dropReply: (match: Match, times?: number) => Effect.Effect<void>
    /** At the next requests that match the connection ends before anything is done. */
    readonly dropRequest: (match: Match, times?: number) => Effect.Effect<void>
    /** The next requests that match are not done, and answered with this error. */
    readonly answerWith: (match: Match, error: ErrorName, times?: number) => Effect.Effect<void>
    /** Takes back what the three above have asked for and what has not happened yet. */
    readonly clearFaults: Effect.Effect<void>
    /** Sets the number that the next sequential znode under a parent gets. False if there is no such parent. */
    readonly setSequence: (parent: string, next: number) => Effect.Effect<boolean>
    /** Sets the version of a znode's data. False if there is no such znode. */
    readonly setVersion: (path: string, version: number) => Effect.Effect<boolean>
    /**
     * Lets a member answer reads alone, as a server that has lost the others, or ends that. Connections end, and sessions
     * that were opened meanwhile are known there alone.
     */
    readonly setReadOnly: (readOnly: boolean, member?: number) => Effect.Effect<void>
    /** Lets a member stay so many transactions behind, until someone writes or asks for `sync` there. Not the leader. */
    readonly setLag: (member: number, transactions: number) => Effect.Effect<void>
    /** Which member leads the others: the first one, until another one is elected. */
    readonly leader: Effect.Effect<number>
    /**
     * Cuts a member off from the others, while clients reach all of them, as a partition between servers does. For `syncLimit`
     * ticks it answers pings and reads from what it has, and lets everything else wait; then it closes its connections and
     * serves nobody. The others end the sessions of which they hear nothing, or elect another leader first. False, and
     * nothing done, if a member is cut off already or there are fewer than three.
     */
    readonly isolate: (member: number) => Effect.Effect<boolean>
    /** Ends `isolate`: the member takes over what the others have. What waits at it is done now, if it has not given up. */
    readonly rejoin: Effect.Effect<void>
  }
>()("@effect-zookeeper/server/EmbeddedServer") {}

/**
 * Listens on loopback, for clients of any language. The socket modules are loaded with the first layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: ListenOptions = {}): Layer.Layer<EmbeddedServer, ListenError> =>
  Layer.effect(
    EmbeddedServer,
    Effect.gen(function* () {
      const runtime = yield* startRuntime(options)
      const { isLoopback, listenTcp } = yield* Effect.promise(() => import("./internal/net/tcpListener.ts"))
      const host = options.host ?? "127.0.0.1"
      const first = options.port ?? 0
      if (runtime.settings.superDigest === SUPER_DIGEST && !isLoopback(host)) {
        return yield* new ListenError({ address: `${host}:${first}`, reason: "WellKnownSuperUser" })
      }
      const members: Array<string> = []
      for (const [index, replica] of runtime.state.replicas.entries()) {
        const port = first === 0 ? 0 : first + index
        const actual = yield* Effect.mapError(
          listenTcp(runtime, replica, { host, port, tls: options.tls }),
          (error) => new ListenError({ address: `${host}:${port}`, reason: "Listen", cause: error.reason.cause })
        )
        members.push(`${options.tls === undefined ? "" : "tls://"}${host.includes(":") ? `[${host}]` : host}:${actual}`)
      }
      return makeControls(runtime, members.join(","))
    })
  )

/**
 * `layerMemory` with options. With several members its servers are `memory-1:2181`, `memory-2:2181` ...; they are the
 * transport's default.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: Options): Layer.Layer<EmbeddedServer | Transport> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const runtime = yield* startRuntime(options)
      const { replicas } = runtime.state
      const members = new Map(
        replicas.map((replica) => [replicas.length === 1 ? "memory:2181" : `memory-${replica.id}:2181`, replica])
      )
      const transport = makeMemoryTransport(runtime, members)
      return Context.make(EmbeddedServer, makeControls(runtime, [...members.keys()].join(","))).pipe(
        Context.add(Transport, transport)
      )
    })
  )

/**
 * The client's `Transport` without a socket, and the server behind it. It is `memory:2181`, which is the transport's
 * default: a session on it needs no `servers`.
 *
 * Nothing in it waits for a timer, a microtask or the network but through the Clock and the Scheduler of whoever runs it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<EmbeddedServer | Transport> = layerMemoryWith({})

// ---- internal

/** A server without listeners that lives as long as the Scope. */
const startRuntime = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ServerRuntime, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const runtime = new ServerRuntime(runtimeSettings(options), clock, Math.max(options.members ?? 1, 1))
  yield* Effect.addFinalizer(() => Effect.sync(() => runtime.disconnect()))
  yield* Effect.forkScoped(runtime.runTimers)
  return runtime
})
