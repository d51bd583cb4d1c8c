/**
 * The ZooKeeper client as Promises.
 *
 * It has the methods of the service `ZooKeeper`, and is derived from it by `PromiseAdapter`, so that the documentation of
 * `Service` holds here: with Promises for Effects, AsyncIterables for Streams, and `A | undefined` for `Option<A>`. A
 * Promise rejects, and a loop over an AsyncIterable throws, with the error that is named there: `NoNode`, `BadVersion`,
 * one of `SessionError`, and so on. Every method takes `{ signal }` after the parameters that it declares.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 *
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181,zk3:2181/app")
 *
 * const path = await zk.createWithParents("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
 * const { data, stat } = await zk.get(path)
 * await zk.set(path, data, stat.version)
 *
 * for await (const node of zk.dataChanges("/config")) {
 *   if (node === undefined) break
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Getters from "@effect-zookeeper/protocol/Getters"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { PromiseRunner } from "./internal/promise/PromiseRunner.ts"
import type * as Op from "./Op.ts"
import * as PromiseAdapter from "./PromiseAdapter.ts"
import type { CallOptions, Promised, Run } from "./PromiseAdapter.ts"
import type { BoundZNode, ZNode } from "./ZNode.ts"
import * as ZooKeeper from "./ZooKeeper.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The methods that a mapped type cannot derive: those with type parameters, and those that give a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Declared {
  /**
   * Applies all operations or none, in their order; each sees the effects of those before it. Gives a tuple of their
   * results: the path of a create, the Stat of a `setData`, nothing for a check or a delete. Without operations nothing is
   * sent.
   *
   * Rejects with `TransactionFailed`, which says which operation was refused and why, with `InvalidArgument`, or with one of
   * `SessionError`.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops,
    call?: CallOptions
  ) => Promise<Promised<Op.WriteResults<Ops>>>

  /**
   * Reads many znodes at once. Gives `{ ok: true, value }` or `{ ok: false, error }` for each operation, where the error is
   * `NoNode` or `NoAuth`. It is one request since ZooKeeper 3.6, and as many as there are operations before. The reads need
   * not see one state of the tree: a write may come between two of them.
   *
   * Rejects with `InvalidArgument` or with one of `SessionError`.
   */
  readonly read: <const Ops extends ReadonlyArray<Op.Read>>(
    ops: Ops,
    call?: CallOptions
  ) => Promise<Promised<Op.ReadResults<Ops>>>

  /**
   * The same session, seen from a sub-tree. The path is below this client's own chroot, and need not exist. Closing either
   * client closes both. Rejects with `InvalidArgument`.
   */
  readonly withChroot: (path: string, call?: CallOptions) => Promise<PromiseClient>

  /**
   * The same session in a new view that tracks versions: `setData`, `set`, `delete` and `setAcl` that are given no version
   * use the version that this view last read or wrote at that path; see `Service`. Closing either client closes both.
   */
  readonly trackVersions: (call?: CallOptions) => Promise<PromiseClient>
}

/**
 * The members of a Promise client that the service does not have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lifecycle {
  /**
   * Runs an Effect on this client, and rejects with the error that it fails with. Packages on top of the client derive
   * their Promise API from it, with `PromiseAdapter.promisify`.
   *
   * `ZooKeeper` is this client, with its chroot. `Scope` is the client's: a resource that is acquired in it is released
   * when the client closes, before the session ends.
   */
  readonly run: Run<ZooKeeper.ZooKeeper | Scope.Scope>

  /**
   * Runs an Effect that does not wait, such as a constructor, and gives its result at once. Throws the error that the
   * Effect fails with. An Effect that has to wait dies; use `run` for it.
   */
  readonly runSync: <A, E>(effect: Effect.Effect<A, E, ZooKeeper.ZooKeeper | Scope.Scope>) => A

  /** A typed znode on this client, with Promises. Its methods reject as those of `ZNode` fail. */
  readonly znode: <P extends string, A>(znode: ZNode<P, A>) => PromiseZNode<P, A>

  /**
   * Ends the session. Calls that still wait reject with `SessionClosed`, and loops end quietly. It takes `closeTimeout` at
   * most (default 2 seconds) and leaves nothing running. It may be called again.
   */
  readonly close: () => Promise<void>

  /** The same as `close`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * A client whose methods give Promises: those of `Service`, and those of {@link Lifecycle}.
 *
 * A method rejects with the errors that `Service` names for it, or with the reason of its signal.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseClient extends Omit<Promised<ZooKeeper.Service>, keyof Declared>, Declared, Lifecycle {}

/**
 * A typed znode whose methods give Promises.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseZNode<P extends string, A> = Promised<BoundZNode<P, A>>

/**
 * The options of {@link connect}: those of `ZooKeeper.layer` except `servers`, and those of this API.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Omit<ZooKeeper.Options, "servers">, AdapterOptions {}

/**
 * The options of the Promise API itself.
 *
 * @category options
 * @since 0.1.0
 */
export interface AdapterOptions {
  /**
   * Whether the stack of an error shows the lines of the application that made the call. It costs some microseconds for
   * each call: use it for development and to find a fault. Default `false`.
   */
  readonly captureStackTrace?: boolean | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Connects over TCP or TLS, and gives a client with a session of its own. Close it with `close` or `await using`.
 *
 * `servers` is a connect string: `host:port,...`, with an optional chroot after the last one.
 *
 * Rejects with `ConnectFailed` if no server gave a session within `connectTimeout` (default 15 seconds), with `AuthFailed`
 * if the servers refused the credentials, with `SessionExpired` if the session of the option `session` is over under
 * `sessionExpiry: "fail"`, and with `InvalidArgument` if an option broke a rule. With `firstConnection: "background"` it
 * resolves at once, and calls wait for the connection.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 *
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181,zk3:2181/app", { sessionTimeout: "30 seconds" })
 *
 * console.log(await zk.getChildren("/"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const connect = (servers: string, options?: Options, call?: CallOptions): Promise<PromiseClient> => {
  const mistake = KnownOptions.check(connectOptions, options)
  if (mistake !== undefined) return Promise.reject(mistake)
  const { captureStackTrace, ...rest } = options ?? {}
  return open(ZooKeeper.layer({ ...rest, servers }), call, captureStackTrace === true)
}

/**
 * The Promise client of a layer. Use it for a transport of your own, a configuration, or a tracer.
 *
 * Rejects with the error that the layer fails with, and with `InvalidArgument` if an option broke a rule.
 *
 * @example
 * ```ts
 * import { PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Config from "effect/Config"
 *
 * const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })
 *
 * await using zk = await PromiseClient.fromLayer(layer)
 *
 * console.log(await zk.exists("/config"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromLayer = <E>(
  layer: Layer.Layer<ZooKeeper.ZooKeeper, E>,
  call?: CallOptions,
  options?: AdapterOptions
): Promise<PromiseClient> => {
  const mistake = KnownOptions.check(adapterOptions, options)
  return mistake === undefined ? open(layer, call, options?.captureStackTrace === true) : Promise.reject(mistake)
}

// ---- internal

const open = async <E>(
  layer: Layer.Layer<ZooKeeper.ZooKeeper, E>,
  call: CallOptions | undefined,
  capturesStacks: boolean
): Promise<PromiseClient> => {
  const scope = Scope.makeUnsafe()
  const runner = new PromiseRunner(capturesStacks)
  const build = Scope.addFinalizer(scope, runner.close).pipe(
    // Built later, so closed earlier: the session answers or refuses waiting calls before the rest is interrupted.
    Effect.andThen(Layer.buildWithScope(layer, scope)),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
  // With its own runner: otherwise a build that fails would wait for itself to end.
  const context = await new PromiseRunner().run(Context.empty())(build, call)
  let closing: Promise<void> | undefined
  // The Scope of `run`. Its resources are released while the session is being closed, which waits for that.
  const acquired = Scope.makeUnsafe()
  // One turn after the session has begun to close, so that a holder is told that the client was closed, and not that it
  // has released.
  const release = Effect.uninterruptible(Effect.andThen(Effect.yieldNow, Scope.close(acquired, Exit.void)))
  const { session } = Context.get(context, ZooKeeper.ZooKeeper)
  const closeAll = Effect.flatMap(
    Effect.forkDetach(session.closing.giveBack(release), { startImmediately: true }),
    (releasing) => Effect.asVoid(Effect.andThen(Scope.close(scope, Exit.void), Fiber.await(releasing)))
  )
  const close = () => (closing ??= Effect.runPromise(closeAll))
  return make(runner, Context.add(context, Scope.Scope, acquired), close)
}

const { servers: _servers, ...connectKeys } = ZooKeeper.options.keys

const adapterOptions = KnownOptions.make<AdapterOptions>({ captureStackTrace: true }, "{ captureStackTrace: true }")

const connectOptions = KnownOptions.make<Options>({ ...connectKeys, ...adapterOptions.keys }, ZooKeeper.options.example)

const make = (
  runner: PromiseRunner,
  context: Context.Context<ZooKeeper.ZooKeeper | Scope.Scope>,
  close: () => Promise<void>
): PromiseClient => {
  const service = Context.get(context, ZooKeeper.ZooKeeper)
  const run = runner.run(context)
  const view = (
    make_: Effect.Effect<ZooKeeper.Service, InvalidArgument>,
    call: CallOptions | undefined
  ): Promise<PromiseClient> =>
    run(
      Effect.map(make_, (service) => make(runner, Context.add(context, ZooKeeper.ZooKeeper, service), close)),
      call
    )
  const { session, ...methods } = service
  const adapted = PromiseAdapter.promisify(run, methods, { exact: true })
  // Four methods have the types of `Declared` instead of those of the mapped type.
  const rows: Omit<typeof adapted, keyof Declared> = adapted
  const client: Omit<PromiseClient, "session"> = {
    ...rows,
    transaction: adapted.transaction as Declared["transaction"],
    read: adapted.read as Declared["read"],
    withChroot: (path, call) => view(service.withChroot(path), call),
    trackVersions: (call) => view(service.trackVersions, call),
    run,
    runSync: (effect) => Effect.runSyncWith(context)(effect),
    znode: (znode) => PromiseAdapter.promisify(run, znode.on(service), { exact: true }),
    close,
    [Symbol.asyncDispose]: close
  }
  return addSession(client, { run, session, face: undefined })
}

interface SessionSource {
  readonly run: Run
  readonly session: ZooKeeper.Service["session"]
  face: PromiseClient["session"] | undefined
}

/** The session is derived when it is first used: it has many members, and few applications look at it. */
const addSession = Getters.make<SessionSource, Pick<PromiseClient, "session">>({
  session: (source) => (source.face ??= PromiseAdapter.promisify(source.run, source.session))
})
