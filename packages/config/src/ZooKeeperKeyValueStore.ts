/**
 * Effect's `KeyValueStore` on a sub-tree, for settings: each key is a child of one znode.
 *
 * - Every process that uses the same path sees the same entries. A write is there when its effect has succeeded; a read may
 *   be a moment behind the write of another process, as every read of ZooKeeper.
 * - `modify` is a compare-and-set: no write of another process is lost, and the function may run many times.
 * - Keys may be any text; what a path cannot have is escaped.
 * - A value has at most `maxValueSize` bytes, because servers refuse requests above their `jute.maxbuffer` (1 MB). The names
 *   of all keys come in one reply, which has room for some ten thousand short ones. Each write is a commit by the quorum. A
 *   cache, a session store or a queue belongs elsewhere.
 * - `clear` is not atomic: it deletes the entries that it finds.
 *
 * `KeyValueStore` is unstable in Effect 4.1, so the peer range of this package is `~4.1`.
 *
 * @since 0.1.0
 */
import { checkCount, checkOptions, checkPath } from "@effect-zookeeper/client/ArgumentCheck"
import * as Bytes from "@effect-zookeeper/client/Bytes"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import { deleteByCzxid } from "@effect-zookeeper/client/ExactDelete"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schedule from "effect/Schedule"
import { escapeKey, unescapeName } from "./internal/keyValue/keyNames.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The znode whose children are the entries, such as `/settings`. It is created when it is needed. */
  readonly path: string
  /**
   * The largest value, in bytes; a larger one fails before it is sent. Servers close the connection on a request above
   * their `jute.maxbuffer`, which is 1,048,575 bytes by default. Default 1,000,000.
   */
  readonly maxValueSize?: number | undefined
}

const known = KnownOptions.make<Options>({ path: true, maxValueSize: true }, '{ path: "/settings" }')

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A store on a sub-tree. Its methods fail with `KeyValueStoreError`, whose `cause` is the error of the client; no error
 * shows a value. `get` gives data that is not UTF-8 as base64.
 *
 * A `set` or `remove` whose reply is lost is repeated; a repeated `remove` leaves an entry that another process has created
 * since. `modify` is not repeated, and fails with the `ConnectionLoss` that says so.
 *
 * @example
 * ```ts
 * import { ZooKeeperKeyValueStore } from "@effect-zookeeper/config"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const settings = yield* ZooKeeperKeyValueStore.make({ path: "/settings" })
 *   yield* settings.set("theme", "dark")
 *   yield* settings.modify("theme", (theme) => theme.toUpperCase())
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<KeyValueStore.KeyValueStore, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const root = yield* checkPath(options.path)
    const maxValueSize = yield* checkCount("maxValueSize", options.maxValueSize ?? 1_000_000)
    return makeStore({ zk: yield* ZooKeeper.ZooKeeper, root, maxValueSize })
  })

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Provides the store as Effect's `KeyValueStore`.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperKeyValueStore } from "@effect-zookeeper/config"
 * import * as Layer from "effect/Layer"
 *
 * export const settings = ZooKeeperKeyValueStore.layer({ path: "/settings" }).pipe(
 *   Layer.provide(ZooKeeper.layer({ servers: "localhost:2181" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<KeyValueStore.KeyValueStore, InvalidArgument, ZooKeeper.ZooKeeper> =>
  Layer.effect(KeyValueStore.KeyValueStore, make(options))

// ---- internal

/** Pauses between attempts that another process was faster than. */
const soon = Schedule.jittered(Schedule.min([Schedule.exponential("5 millis"), Schedule.spaced("1 second")]))

interface Store {
  readonly zk: ZooKeeper.Service
  readonly root: string
  readonly maxValueSize: number
}

const makeStore = (store: Store): KeyValueStore.KeyValueStore => {
  const { root, zk } = store
  const getBytes = (method: string, key: string) =>
    at(store, method, key, (path) =>
      Outcome.retryAcrossSessions(zk.session, zk.getData(path)).pipe(Effect.catchTag("NoNode", () => Effect.undefined))
    )
  const names = Outcome.retryAcrossSessions(zk.session, zk.getChildren(root)).pipe(
    Effect.catchTag("NoNode", () => Effect.succeed([])),
    Effect.map((names) => names.flatMap((name) => unescapeName(name) ?? []))
  )
  const keys = failing("keys", undefined, names)
  // One sync is for all entries.
  const synced = Outcome.retryAcrossSessions(zk.session, zk.sync(root))
  const remove = (method: string, key: string, isSynced: boolean) =>
    at(store, method, key, (path) => removeEntry(store, path, isSynced))
  return KeyValueStore.make({
    get: (key) => Effect.map(getBytes("get", key), (data) => (data === undefined ? undefined : toText(data))),
    getUint8Array: (key) => getBytes("getUint8Array", key),
    // The value as it is at the call: a write may be repeated.
    set: (key, value) =>
      Effect.flatMap(sized(store, "set", key, Bytes.copyOf(value)), (data) =>
        at(store, "set", key, (path) => Outcome.retryAcrossSessions(zk.session, zk.createOrSet(path, data)))
      ).pipe(Effect.asVoid),
    remove: (key) => remove("remove", key, false),
    clear: Effect.flatMap(failing("clear", undefined, Effect.andThen(synced, names)), (all) =>
      Effect.forEach(all, (key) => remove("clear", key, true), { concurrency: 16, discard: true })
    ),
    size: Effect.map(keys, (all) => all.length),
    keys,
    has: (key) => at(store, "has", key, (path) => Outcome.retryAcrossSessions(zk.session, zk.exists(path))),
    modify: (key, f) =>
      Effect.map(
        modify(store, "modify", key, (data) => Bytes.copyOf(f(toText(data)))),
        (data) => (data === undefined ? undefined : toText(data))
      ),
    modifyUint8Array: (key, f) => modify(store, "modifyUint8Array", key, (data) => Bytes.copyOf(f(data)))
  })
}

/**
 * Deletes the entry that is there at the call. By the time of a repetition another process may have set the key anew, and
 * that entry stays.
 */
const removeEntry = ({ zk }: Store, path: string, isSynced: boolean) =>
  Effect.suspend(() =>
    Outcome.retryAcrossSessions(
      zk.session,
      deleteByCzxid(zk, path, () => true, { isSynced })
    )
  )

/** Reads, applies and writes at the version that was read, until no other client has written in between. */
const modify = (store: Store, method: string, key: string, f: (data: Uint8Array) => Uint8Array) =>
  at(store, method, key, (path) => {
    const { zk } = store
    const once = Effect.gen(function* () {
      const { data, stat } = yield* Outcome.retryAcrossSessions(zk.session, zk.get(path))
      const next = yield* sized(store, method, key, f(data))
      yield* Outcome.retryTransient(zk.set(path, next, stat.version), {
        while: (error) => !Outcome.mayBeApplied(error)
      })
      return next
    })
    return once.pipe(
      Effect.retry({ while: ({ _tag }) => _tag === "BadVersion", schedule: soon }),
      Effect.catchTag("NoNode", () => Effect.undefined)
    )
  })

const at = <A, E extends Error>(
  { root }: Store,
  method: string,
  key: string,
  use: (path: string) => Effect.Effect<A, E>
): Effect.Effect<A, KeyValueStore.KeyValueStoreError> =>
  Effect.suspend(() => {
    const name = escapeKey(key)
    if (name !== undefined) return failing(method, key, use(ZnodePath.join(root, name)))
    const message = "a key is a text without halves of surrogate pairs"
    return Effect.fail(new KeyValueStore.KeyValueStoreError({ message, method, key }))
  })

const failing = <A, E extends Error>(
  method: string,
  key: string | undefined,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, KeyValueStore.KeyValueStoreError> =>
  Effect.mapError(effect, (cause) =>
    cause instanceof KeyValueStore.KeyValueStoreError
      ? cause
      : new KeyValueStore.KeyValueStoreError({
          message: Printable.escape(cause.message),
          method,
          cause,
          ...(key === undefined ? {} : { key })
        })
  )

const sized = (
  { maxValueSize }: Store,
  method: string,
  key: string,
  data: Uint8Array
): Effect.Effect<Uint8Array, KeyValueStore.KeyValueStoreError> => {
  if (!Bytes.isBytes(data)) {
    return Effect.fail(
      new KeyValueStore.KeyValueStoreError({ message: "a value is a text or a Uint8Array", method, key })
    )
  }
  if (data.byteLength <= maxValueSize) return Effect.succeed(data)
  const message = `a value of ${data.byteLength} bytes is larger than maxValueSize (${maxValueSize}), and a znode is no place for it`
  return Effect.fail(new KeyValueStore.KeyValueStoreError({ message, method, key }))
}

const toText = (data: Uint8Array): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return Base64.encode(data)
  }
}
