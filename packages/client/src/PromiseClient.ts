/**
 * The ZooKeeper client as Promises.
 *
 * ```ts
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181,zk3:2181/app")
 *
 * const path = await zk.create("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
 * const { data, stat } = await zk.get(path)
 * await zk.set(path, "next", stat.version)
 *
 * for await (const node of zk.dataChanges("/config")) {
 *   if (node === undefined) break
 * }
 * ```
 *
 * It has the methods of the service `ZooKeeper`, and is derived from it by `PromiseAdapter`, which says how: what is
 * documented there holds here, with Promises for Effects, AsyncIterables for Streams, and `A | undefined` for
 * `Option<A>`. Every method takes `{ signal }` after the parameters that it declares.
 *
 * @since 0.1.0
 */
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
 * The rows of the service that no mapped type can carry over: those with type parameters, and those that give a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Declared {
  /**
   * All operations or none, in order, each seeing what those before it did. Gives their results in a tuple; rejects with
   * `TransactionFailed`, which names the operation that failed.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops,
    call?: CallOptions
  ) => Promise<Promised<Op.WriteResults<Ops>>>

  /**
   * Many reads in one request, each with a result of its own: `{ ok: true, value }` or `{ ok: false, error }`. They need
   * not see one state of the tree: a write may come between two of them.
   */
  readonly read: <const Ops extends ReadonlyArray<Op.Read>>(
    ops: Ops,
    call?: CallOptions
  ) => Promise<Promised<Op.ReadResults<Ops>>>

  /** The same session, seen from a sub-tree. Closing either closes both. */
  readonly withChroot: (path: string, call?: CallOptions) => Promise<PromiseClient>

  /**
   * The same session in a new view that remembers versions, and uses them where none is given. Closing either closes
   * both.
   */
  readonly trackVersions: (call?: CallOptions) => Promise<PromiseClient>
}

/**
 * What a client has beside the rows of the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lifecycle {
  /**
   * Runs an Effect on this client. Packages on top of the client derive their Promise API from it, with
   * `PromiseAdapter.promisify`.
   *
   * `ZooKeeper` is this client, with its chroot. `Scope` is the client's: what is acquired in it is released when the
   * client closes, while the session still stands.
   */
  readonly run: Run<ZooKeeper.ZooKeeper | Scope.Scope>

  /**
   * Runs an Effect that waits for nothing, such as one that only makes something, and gives what it succeeds with. Throws
   * the error that it fails with. What has to wait is a mistake here, and dies: it needs `run`.
   */
  readonly runSync: <A, E>(effect: Effect.Effect<A, E, ZooKeeper.ZooKeeper | Scope.Scope>) => A

  /** A typed znode on this client. */
  readonly znode: <P extends string, A>(znode: ZNode<P, A>) => PromiseZNode<P, A>

  /**
   * Ends the session, and rejects with `SessionClosed` whatever still waits. Waits until nothing is left of it; may be
   * called again.
   */
  readonly close: () => Promise<void>

  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * A client whose methods give Promises.
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
 * @category options
 * @since 0.1.0
 */
export interface Options extends Omit<ZooKeeper.Options, "servers">, AdapterOptions {}

/**
 * @category options
 * @since 0.1.0
 */
export interface AdapterOptions {
  /**
   * Whether the stack of what a call rejects with shows the lines of the application that made the call. It costs some
   * microseconds for each call, so it is for development and for finding a fault. Default false.
   */
  readonly captureStackTrace?: boolean | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Connects over TCP or TLS.
 *
 * Rejects with `ConnectFailed` when no server gave a session within `connectTimeout`, with `AuthFailed`, or with
 * `InvalidArgument`. `servers` is a connect string: `host:port,...`, with an optional chroot after the last one.
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
 * The client of a layer: for a transport of one's own, a configuration, or a tracer.
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
    // Built later, so closed earlier: the session answers or refuses what waits before the rest is interrupted.
    Effect.andThen(Layer.buildWithScope(layer, scope)),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
  // By a run of its own: a build that fails would wait for itself to end.
  const context = await new PromiseRunner().run(Context.empty())(build, call)
  let closing: Promise<void> | undefined
  // What is acquired on the client. It is released while the session is being closed, which waits for it.
  const acquired = Scope.makeUnsafe()
  // A turn later than the session has begun to close: what is still held is told why it is lost, and not that it was released.
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
  // What a session tells is much to derive, and few look at it: it is derived when it is first asked for.
  let sessionFace: PromiseClient["session"] | undefined
  // What a mapped type says of these four is replaced by what `Declared` says.
  const rows: Omit<typeof adapted, keyof Declared> = adapted
  return {
    ...rows,
    transaction: adapted.transaction as Declared["transaction"],
    read: adapted.read as Declared["read"],
    withChroot: (path, call) => view(service.withChroot(path), call),
    trackVersions: (call) => view(service.trackVersions, call),
    run,
    runSync: (effect) => Effect.runSyncWith(context)(effect),
    znode: (znode) => PromiseAdapter.promisify(run, znode.on(service), { exact: true }),
    close,
    [Symbol.asyncDispose]: close,
    get session() {
      return (sessionFace ??= PromiseAdapter.promisify(run, session))
    }
  }
}
