/**
 * A ZooKeeper in the process: the real protocol, in memory, without a JVM.
 *
 * It answers every operation as Apache ZooKeeper 3.8.0 does, or as 3.9 with the option `version`, to clients of any language
 * over TCP (`layer`, or `start` without Effect) or to clients in the same process without a socket (`layerMemory`). Tests can
 * make it lose replies, expire sessions, and do other things that a real server cannot be made to do. It has no disk: all
 * znodes are gone when the Scope is closed.
 *
 * @since 0.1.0
 */
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Match } from "./Fault.ts"
import { type Closeable, openPromised, type Promised } from "./internal/promise/promised.ts"
import { makeControls } from "./internal/net/controls.ts"
import { ServerRuntime } from "./internal/net/ServerRuntime.ts"
import { makeMemoryTransport } from "./internal/net/memoryListener.ts"
import { type Options, runtimeSettings, SUPER_DIGEST } from "./internal/net/settings.ts"
import { ListenError } from "./ListenError.ts"
import type { ServerTls } from "./ServerTls.ts"
import type { Snapshot } from "./internal/state/ServerState.ts"

export type { Options } from "./internal/net/settings.ts"
export type { Version } from "./internal/state/Release.ts"
export type { Closeable, Promised } from "./internal/promise/promised.ts"
export type { SnapshotTree } from "./internal/state/DataTree.ts"
export type { Snapshot } from "./internal/state/ServerState.ts"
export type { SnapshotZnode } from "./internal/state/Znode.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of `layer`, the server that listens on TCP.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListenOptions extends Options {
  /**
   * The port of the first member; the others have the ports after it. Default 0: a free port for each. A list has one port for
   * each member, where 0 is a free port.
   */
  readonly port?: number | ReadonlyArray<number> | undefined
  /**
   * The address to listen on. Default `127.0.0.1`, since every client that can reach the server may use it. An address
   * beyond loopback fails with `ListenError` unless `superDigest` is given, because the default password is public.
   */
  readonly host?: string | undefined
  /** Certificates for TLS, on all members. Default: plain TCP. */
  readonly tls?: ServerTls | undefined
}

// -----------------------------------------------------------------------------
// the service
// -----------------------------------------------------------------------------

/**
 * A session as the server knows it, for tests that wait for one or check its ephemeral znodes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo {
  readonly id: bigint
  /** The negotiated timeout. */
  readonly timeout: Duration.Duration
  /** Whether a client is connected with this session. */
  readonly connected: boolean
  /** The paths of its ephemeral znodes. */
  readonly ephemerals: ReadonlyArray<string>
}

/**
 * A running server, and the controls for tests. Members are numbered from 0; the first one is the leader until it is cut
 * off. A number without a member is a defect (`RangeError`).
 *
 * @category services
 * @since 0.1.0
 */
export class EmbeddedServer extends Context.Service<
  EmbeddedServer,
  {
    /** All members, as a connect string for clients. */
    readonly connectString: string
    /** All sessions, with or without a connection. */
    readonly sessions: Effect.Effect<ReadonlyArray<SessionInfo>>
    /** Ends a session as its timeout would. False if there is no session with that id. */
    readonly expireSession: (id: bigint) => Effect.Effect<boolean>
    /** Ends all connections. The sessions stay, and new connections are accepted. */
    readonly disconnectAll: Effect.Effect<void>
    /** Stops answering and expiring, like a process after SIGSTOP. Connections stay open. */
    readonly pause: Effect.Effect<void>
    /** Continues after `pause`: first with the requests that have arrived, then with the sessions that are overdue. */
    readonly resume: Effect.Effect<void>
    /**
     * Stops a member, or all of them, as a process that is ended: its connections break, and new ones are refused, over TCP by
     * the system itself. Its state is kept. With half of the members or more stopped, the others refuse clients, too, and no
     * session ends. It ends `isolate`, and `pause` if no member runs any more.
     */
    readonly stop: (member?: number) => Effect.Effect<void>
    /**
     * Starts a member again, or all that are stopped, at the same address. It ends `isolate`. If there was no leader, one is elected: sessions get
     * their full timeout, and zxids begin a new epoch if there are several members. Fails with `ListenError` if the port has
     * been taken meanwhile.
     */
    readonly start: (member?: number) => Effect.Effect<void, ListenError>
    /**
     * Sends replies and events so much later from now on, each connection's in their order. A connection that breaks loses those
     * that are on their way.
     */
    readonly setLatency: (latency: Duration.Input) => Effect.Effect<void>
    /** All znodes and sessions as they are now. */
    readonly snapshot: Effect.Effect<Snapshot>
    /**
     * Goes back to a snapshot, of this server or another one, and ends all connections. Later sessions are gone, and those of
     * the snapshot exist again. The zxid continues in a new epoch, above those of the snapshot and of this server, so that
     * no client is refused because it has seen more than the server.
     */
    readonly restore: (snapshot: Snapshot) => Effect.Effect<void>
    /** The next requests that match are applied, but the connection ends instead of a reply. `times` is 1 by default. */
    readonly dropReply: (match: Match, times?: number) => Effect.Effect<void>
    /** The connection ends before the next requests that match are applied. `times` is 1 by default. */
    readonly dropRequest: (match: Match, times?: number) => Effect.Effect<void>
    /** The next requests that match are answered with this error, and not applied. `times` is 1 by default. */
    readonly answerWith: (match: Match, error: ErrorName, times?: number) => Effect.Effect<void>
    /** Removes all faults of the three methods above that are left. */
    readonly clearFaults: Effect.Effect<void>
    /** Sets the number of the next sequential znode under a parent, to test its overflow. False if there is no such parent. */
    readonly setSequence: (parent: string, next: number) => Effect.Effect<boolean>
    /** Sets the version of a znode's data, to test its overflow. False if there is no such znode. */
    readonly setVersion: (path: string, version: number) => Effect.Effect<boolean>
    /**
     * Makes a member read-only, like a server that has lost the others, or ends that. Its connections end, and sessions that
     * are opened while it is read-only exist only there.
     */
    readonly setReadOnly: (readOnly: boolean, member?: number) => Effect.Effect<void>
    /** Keeps a member so many transactions behind, until a client of it writes or calls `sync`. Not for the leader. */
    readonly setLag: (member: number, transactions: number) => Effect.Effect<void>
    /** The number of the member that leads: 0, until another one is elected. */
    readonly leader: Effect.Effect<number>
    /**
     * Cuts a member off from the others, as a partition between servers does; clients reach all of them. For `syncLimit`
     * ticks the member answers pings and reads from its own state, and all other requests wait; then it closes its connections
     * and refuses new ones. The others elect another leader, if it was the leader, and end the sessions that are not renewed
     * with them. False, without an effect, if a member is cut off already or stopped, or there are fewer than three.
     */
    readonly isolate: (member: number) => Effect.Effect<boolean>
    /** Ends `isolate`: the member takes over the state of the others. Requests that wait there are done, if it still serves. */
    readonly rejoin: Effect.Effect<void>
  }
>()("@effect-zookeeper/server/EmbeddedServer") {}

/**
 * A server that listens on TCP, for clients of any language. It listens on `127.0.0.1` and a free port unless options say
 * otherwise, and fails with `ListenError` if the port is taken. The socket modules are loaded with the first layer.
 *
 * Options that are not an object, or have an unknown key, are a defect (`InvalidArgument`), as are invalid durations.
 *
 * @example
 * ```ts
 * import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const server = yield* EmbeddedServer.EmbeddedServer
 *   console.log(`connect to ${server.connectString}`)
 *   yield* Effect.never
 * })
 *
 * const main = Effect.provide(program, EmbeddedServer.layer({ port: 2181, tickTime: "1 second" }))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: ListenOptions = {}): Layer.Layer<EmbeddedServer, ListenError> =>
  Layer.effect(
    EmbeddedServer,
    Effect.gen(function* () {
      const runtime = yield* startRuntime(options, knownListen)
      const { isLoopback, makeTcpListeners } = yield* Effect.promise(() => import("./internal/net/tcpListener.ts"))
      const host = options.host ?? "127.0.0.1"
      const ports = portsOf(options.port ?? 0, runtime.state.replicas.length)
      if (runtime.settings.superDigest === SUPER_DIGEST && !isLoopback(host)) {
        return yield* new ListenError({ address: `${host}:${ports[0] ?? 0}`, reason: "WellKnownSuperUser" })
      }
      const { addresses, listeners } = yield* makeTcpListeners(runtime, { host, ports, tls: options.tls })
      return makeControls(runtime, addresses.join(","), listeners)
    })
  )

/**
 * A running server whose controls give Promises: those of the service {@link EmbeddedServer}, where they are documented. A
 * number without a member rejects with a `RangeError`. `close` ends the server: all connections break, and its znodes are gone.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseServer extends Promised<EmbeddedServer["Service"]>, Closeable {}

/**
 * Starts a server that listens on TCP, as `layer` does, for tests and programs without Effect. The controls of the service are
 * its methods, and give Promises. Close it with `close` or `await using`.
 *
 * Rejects with `ListenError` if the port is taken, and with `InvalidArgument` if an option has an unknown name.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { EmbeddedServer } from "@effect-zookeeper/server"
 *
 * await using server = await EmbeddedServer.start()
 * await using worker = await PromiseClient.connect(server.connectString)
 * await using other = await PromiseClient.connect(server.connectString)
 *
 * await worker.create("/job", { mode: "ephemeral" })
 * await server.expireSession(worker.session.id)
 * console.log(await other.exists("/job")) // false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (options?: ListenOptions): Promise<PromiseServer> => openPromised(layer(options), EmbeddedServer)

/**
 * `layerMemory` with options. With several members the servers are `memory-1:2181`, `memory-2:2181` and so on, which is the
 * default connect string of the transport. Options are checked as those of {@link layer} are.
 *
 * @example
 * ```ts
 * import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
 *
 * const Ensemble = EmbeddedServer.layerMemoryWith({ members: 3, tickTime: "100 millis" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: Options): Layer.Layer<EmbeddedServer | Transport> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const runtime = yield* startRuntime(options, known)
      const { replicas } = runtime.state
      const members = new Map(
        replicas.map((replica) => [replicas.length === 1 ? "memory:2181" : `memory-${replica.id}:2181`, replica])
      )
      const transport = makeMemoryTransport(runtime, members)
      const noListeners = { open: () => Effect.void, close: () => Effect.void }
      const controls = makeControls(runtime, [...members.keys()].join(","), noListeners)
      return Context.add(Context.make(EmbeddedServer, controls), Transport, transport)
    })
  )

/**
 * A server in memory, and the `Transport` that reaches it without a socket. Use it for tests of Effect applications. The
 * server is `memory:2181`, the default of the transport, so a session needs no `servers`.
 *
 * It waits only through the Clock and the Scheduler of the program, never for a timer, a microtask or the network of the
 * host: with a `TestClock` a test decides when sessions expire.
 *
 * @example
 * ```ts
 * import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
 * import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const InMemory = ZooKeeper.layerSession().pipe(
 *   Layer.provide(Session.layer({ sessionTimeout: "4 seconds" })),
 *   Layer.provideMerge(EmbeddedServer.layerMemory)
 * )
 *
 * const test = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const server = yield* EmbeddedServer.EmbeddedServer
 *   yield* zk.create("/jobs")
 *   yield* server.disconnectAll
 *   yield* zk.getChildren("/jobs")
 * }).pipe(Effect.provide(InMemory))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<EmbeddedServer | Transport> = layerMemoryWith({})

// ---- internal

const portsOf = (port: number | ReadonlyArray<number>, members: number): ReadonlyArray<number> =>
  Array.from({ length: members }, (_, index) =>
    typeof port === "number" ? (port === 0 ? 0 : port + index) : (port[index] ?? 0)
  )

const keys: { readonly [K in keyof Options]-?: true } = {
  version: true,
  latency: true,
  tickTime: true,
  minSessionTimeout: true,
  maxSessionTimeout: true,
  superDigest: true,
  extendedTypes: true,
  enforceQuota: true,
  reconfigEnabled: true,
  readOnlyMode: true,
  localSessions: true,
  collectInterval: true,
  maxFrameSize: true,
  syncLimit: true,
  members: true
}

const known = KnownOptions.make<Options>(keys, '{ tickTime: "1 second" }')

const knownListen = KnownOptions.make<ListenOptions>({ ...keys, port: true, host: true, tls: true }, "{ port: 2181 }")

/** A server without listeners. It runs as long as the Scope is open. */
const startRuntime = Effect.fnUntraced(function* <O extends Options>(
  options: O,
  known: KnownOptions.KnownOptions<O>
): Effect.fn.Return<ServerRuntime, never, Scope.Scope> {
  const mistake = KnownOptions.check(known, options)
  if (mistake !== undefined) return yield* Effect.die(mistake)
  const clock = yield* Clock.Clock
  const runtime = new ServerRuntime(runtimeSettings(options), clock, Math.max(options.members ?? 1, 1))
  yield* Effect.addFinalizer(() => Effect.sync(() => runtime.disconnect()))
  yield* Effect.forkScoped(runtime.runTimers)
  return runtime
})
