/**
 * A canary: a read, a write and a watch on one server of an ensemble, with the time that each takes.
 *
 * It shows what clients of that server meet: a write is committed by a quorum, and its event comes back. It writes an
 * ephemeral znode `zk-canary-…` below the path, and deletes it at once.
 *
 * Directly below the root of the servers the znode is `/zk-canary/…` instead. Servers keep metrics for each first part of a
 * path, for as long as they run: a new name there at each probe would make them ever more. The canary deletes the container
 * `/zk-canary` at its end, or the servers do, where other canaries use it. Before ZooKeeper 3.5.1, which has no containers, it
 * may be left, empty.
 *
 * @since 0.1.0
 */
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import { make as makeGuid } from "@effect-zookeeper/client/Guid"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/**
 * The result of one probe. A time is missing where the server did not answer, and `problems` says why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Probe {
  /** Whether the server serves reads alone, so that no write was tried. */
  readonly readOnly: boolean
  /** Milliseconds until the answer to a read. */
  readonly read: number | undefined
  /** Milliseconds until a quorum has committed a write, or has refused it because of an ACL or a quota. */
  readonly write: number | undefined
  /** Milliseconds from the write until the event of a watch for it. */
  readonly watch: number | undefined
  readonly problems: ReadonlyArray<string>
}

/**
 * A session with one server that can be probed again and again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Canary {
  /** It never fails, and each of its steps takes the option `timeout` at most. One probe at a time. */
  readonly probe: Effect.Effect<Probe>
  readonly zk: ZooKeeper.Service
}

/**
 * Options of {@link make}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Pick<ZooKeeper.Options, "auth" | "chroot" | "sasl" | "sessionTimeout" | "tls"> {
  /** The znode that is read, and below which the canary writes. Default `/`. */
  readonly path?: string | undefined
  /** Whether it writes at all; without, there are reads alone. Default true. */
  readonly writes?: boolean | undefined
  /** The time for a session, and for each step of a probe. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Makes a session with this server, also with one that serves reads alone. The session ends with the Scope.
 *
 * It fails as the layer of a client does, with `ConnectFailed` where the server gives no session.
 *
 * @example
 * ```ts
 * import * as Canary from "@effect-zookeeper/cli/Canary"
 * import * as Effect from "effect/Effect"
 *
 * const latency = Effect.gen(function* () {
 *   const canary = yield* Canary.make({ host: "zk1", port: 2181 }, { timeout: "2 seconds" })
 *   const { write } = yield* canary.probe
 *   return write
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  server: ServerAddress,
  options: Options = {}
): Effect.fn.Return<Canary, ZooKeeper.StartError | InvalidArgument, Scope.Scope> {
  // Here, because some of them are spread into others.
  yield* checkOptions(known, options)
  const { path = "/", timeout = "5 seconds", writes = true, ...rest } = options
  yield* Effect.fromResult(ZnodePath.validate(path))
  const context = yield* Layer.build(
    Layer.fresh(
      ZooKeeper.layer({
        ...rest,
        servers: format(server),
        allowReadOnly: true,
        connectTimeout: timeout,
        requestTimeout: timeout,
        closeTimeout: "1 second",
        retry: Schedule.spaced("1 second")
      })
    )
  )
  const zk = Context.get(context, ZooKeeper.ZooKeeper)
  const guid = yield* makeGuid
  const isTop = path === "/" && (rest.chroot === undefined || rest.chroot === "" || rest.chroot === "/")
  const own: Own | undefined = !writes
    ? undefined
    : isTop
      ? { path: ZnodePath.join(topParent, guid), parent: topParent }
      : { path: ZnodePath.join(path, `zk-canary-${guid}`), parent: undefined }
  let hasWritten = false
  if (own?.parent !== undefined) {
    const remove = Effect.suspend(() => (hasWritten ? Effect.ignore(zk.delete(topParent)) : Effect.void))
    // Without a connection it would go on until the session is over.
    yield* Effect.addFinalizer(() => Effect.interruptible(Effect.timeoutOption(remove, "1 second")))
  }
  return {
    zk,
    probe: Effect.suspend(() => probe(zk, path, own, timeout)).pipe(
      Effect.tap(({ write }) => Effect.sync(() => (hasWritten ||= write !== undefined)))
    )
  }
})

// ---- internal

const known = KnownOptions.make<Options>(
  { auth: true, chroot: true, sasl: true, sessionTimeout: true, tls: true, path: true, writes: true, timeout: true },
  "{ writes: false }"
)

/** The parent of all canaries at the root of the servers. */
const topParent = "/zk-canary"

/** The znode that a canary writes, and its parent where the canary makes that too. */
interface Own {
  readonly path: string
  readonly parent: string | undefined
}

const probe = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  own: Own | undefined,
  timeout: Duration.Input
): Effect.fn.Return<Probe> {
  const problems: Array<string> = []
  const measure = <A, E extends { readonly _tag: string; readonly message: string }>(
    what: string,
    effect: Effect.Effect<A, E>
  ): Effect.Effect<number | undefined> =>
    Effect.timed(Effect.result(Effect.timeoutOption(effect, timeout))).pipe(
      Effect.map(([elapsed, result]) => {
        if (Result.isFailure(result)) {
          const isAnswer = answers.has(result.failure._tag)
          if (!isAnswer || what !== "read") problems.push(`${what}: ${result.failure.message}`)
          if (!isAnswer) return undefined
        } else if (Option.isNone(result.success)) {
          problems.push(`${what}: no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`)
          return undefined
        }
        return millisOf(elapsed)
      })
    )
  const read = yield* measure("read", zk.exists(path))
  const { readOnly } = zk.session
  if (own === undefined || readOnly || read === undefined) {
    return { readOnly, read, write: undefined, watch: undefined, problems }
  }
  // Before the write, so that its time is that of one write. Where it fails, the write has the reason.
  if (own.parent !== undefined) yield* Effect.ignore(Effect.timeout(zk.ensurePath(own.parent), timeout))
  const watched = yield* Effect.result(watchMissing(zk, own.path))
  if (Result.isFailure(watched)) {
    problems.push(`watch: ${watched.failure.message}`)
    return { readOnly, read, write: undefined, watch: undefined, problems }
  }
  const created = yield* Deferred.make<boolean>()
  const [write, watch] = yield* Effect.all(
    [
      measure(
        "write",
        Effect.onExit(create(zk, own), (exit) => Deferred.succeed(created, Exit.isSuccess(exit)))
      ),
      // Without the znode there is no event to wait for.
      Effect.raceFirst(
        measure("watch", watched.success.changed),
        Effect.flatMap(Deferred.await(created), (done) => (done ? Effect.never : Effect.succeed(undefined)))
      )
    ],
    { concurrency: "unbounded" }
  )
  yield* Effect.ignore(zk.delete(own.path))
  return { readOnly, read, write, watch, problems }
})

/** Another canary that ends, or the server, may delete the parent meanwhile. */
const create = (zk: ZooKeeper.Service, { parent, path }: Own) =>
  parent === undefined
    ? zk.create(path, { mode: "ephemeral" })
    : Effect.retry(zk.createWithParents(path, { mode: "ephemeral" }), { while: ({ _tag }) => _tag === "NoNode" })

/** Watches for the creation of the znode. One whose deletion was lost in an earlier probe goes first. */
const watchMissing = (zk: ZooKeeper.Service, path: string) =>
  Effect.flatMap(zk.existsAndWatch(path), (watched) =>
    Option.isNone(watched.stat)
      ? Effect.succeed(watched)
      : Effect.andThen(Effect.ignore(zk.delete(path)), zk.existsAndWatch(path))
  )

/** To the microsecond, beyond which nothing is measured. */
const millisOf = (elapsed: Duration.Duration): number => Math.round(Duration.toMillis(elapsed) * 1000) / 1000

/** The errors by which a quorum has answered. */
const answers: ReadonlySet<string> = new Set([
  "NoAuth",
  "NoNode",
  "NodeExists",
  "QuotaExceeded",
  "NoChildrenForEphemerals",
  "InvalidACL"
])
