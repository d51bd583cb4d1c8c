/**
 * The operations of `transaction` and of `read`, as plain values.
 *
 * An operation is checked when it is sent: a path or an option that breaks a rule makes the transaction or the read fail
 * with `InvalidArgument`, which names the operation by its index, and nothing is sent.
 *
 * @example
 * ```ts
 * import { Op, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const addJob = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const [path, , stat] = yield* zk.transaction([
 *     Op.create("/jobs/job-", { data: "payload", mode: "persistentSequential" }),
 *     Op.check("/leader", 3),
 *     Op.setData("/jobs", "1")
 *   ])
 *   return { path, version: stat.version }
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Result from "effect/Result"
import type { NoAuth, NoNode } from "./Errors.ts"
import type { Data, DataAndStat, Stat, ZnodeOptions } from "./Models.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * An operation of a transaction that creates a znode; {@link create} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Create {
  readonly _tag: "Create"
  readonly path: string
  readonly options: ZnodeOptions
}

/**
 * An operation of a transaction that checks a version; {@link check} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Check {
  readonly _tag: "Check"
  readonly path: string
  /** -1 for any. */
  readonly version: number
}

/**
 * An operation of a transaction that writes data; {@link setData} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetData {
  readonly _tag: "SetData"
  readonly path: string
  readonly data: Data
  /** -1 for any. */
  readonly version: number
  /** The rule that its options broke; the transaction fails with it. */
  readonly mistake?: InvalidArgument | undefined
}

/**
 * An operation of a transaction that deletes a znode; `Op.delete` makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delete {
  readonly _tag: "Delete"
  readonly path: string
  /** -1 for any. */
  readonly version: number
  /** The rule that its options broke; the transaction fails with it. */
  readonly mistake?: InvalidArgument | undefined
}

/**
 * An operation of `read` that reads data and Stat; {@link get} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Get {
  readonly _tag: "Get"
  readonly path: string
}

/**
 * An operation of `read` that lists the children of a znode; {@link getChildren} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface GetChildren {
  readonly _tag: "GetChildren"
  readonly path: string
}

/**
 * An operation that a transaction takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Write = Create | Check | SetData | Delete

/**
 * An operation that `read` takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Read = Get | GetChildren

/**
 * The result of one operation of a transaction: the created path, the new Stat, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type WriteResult<O extends Write> = O extends Create ? string : O extends SetData ? Stat : void

/**
 * The results of a transaction: a tuple in the order of its operations.
 *
 * @category models
 * @since 0.1.0
 */
export type WriteResults<Ops extends ReadonlyArray<Write>> = { -readonly [K in keyof Ops]: WriteResult<Ops[K]> }

/**
 * The result of one operation of `read`. Each fails by itself, with `NoNode` or `NoAuth`.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadResult<O extends Read> = Result.Result<
  O extends Get ? DataAndStat : ReadonlyArray<string>,
  NoNode | NoAuth
>

/**
 * The results of `read`: a tuple in the order of its operations.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadResults<Ops extends ReadonlyArray<Read>> = { -readonly [K in keyof Ops]: ReadResult<Ops[K]> }

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Creates a znode in a transaction. Its result is the path, with the number of a sequential one.
 *
 * The operation fails with `NodeExists`, `NoNode` (no parent), `NoAuth`, `InvalidACL`, `NoChildrenForEphemerals` or
 * `QuotaExceeded`. Containers need ZooKeeper 3.5.1, times to live 3.5.3.
 *
 * @example
 * ```ts
 * import { Op } from "@effect-zookeeper/client"
 *
 * export const addJob = Op.create("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const create = (path: string, options: ZnodeOptions = {}): Create => ({ _tag: "Create", path, options })

/**
 * Changes nothing, and fails the transaction unless the znode exists and has this version. Without a version, or with -1,
 * it is enough that the znode exists. Use it to write only while a lock, a leader or a configuration is unchanged.
 *
 * The operation fails with `NoNode`, `BadVersion` or `NoAuth` (no READ).
 *
 * @example
 * ```ts
 * import { Op } from "@effect-zookeeper/client"
 *
 * export const ifUnchanged = [Op.check("/config", 7), Op.setData("/state", "ready")] as const
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (path: string, version = -1): Check => ({ _tag: "Check", path, version })

/**
 * Writes data in a transaction. Its result is the new Stat. Without a version, or with -1, any version will do.
 *
 * The operation fails with `NoNode`, `BadVersion`, `NoAuth` or `QuotaExceeded`.
 *
 * @example
 * ```ts
 * import { Op } from "@effect-zookeeper/client"
 *
 * export const move = [Op.setData("/accounts/a", "9", { version: 4 }), Op.setData("/accounts/b", "1")] as const
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const setData = (path: string, data: Data, options?: { readonly version?: number | undefined }): SetData => {
  const mistake = KnownOptions.check(versionOptions, options)
  return mistake === undefined
    ? { _tag: "SetData", path, data, version: options?.version ?? -1 }
    : { _tag: "SetData", path, data, version: -1, mistake }
}

const delete_ = (path: string, options?: { readonly version?: number | undefined }): Delete => {
  const mistake = KnownOptions.check(versionOptions, options)
  return mistake === undefined
    ? { _tag: "Delete", path, version: options?.version ?? -1 }
    : { _tag: "Delete", path, version: -1, mistake }
}

export {
  /**
   * Deletes a znode without children in a transaction. Without a version, or with -1, any version will do.
   *
   * The operation fails with `NoNode`, `NotEmpty`, `BadVersion` or `NoAuth`. "/" is `InvalidArgument`.
   *
   * @example
   * ```ts
   * import { Op } from "@effect-zookeeper/client"
   *
   * export const deleteTree = [Op.delete("/jobs/1/result"), Op.delete("/jobs/1")] as const
   * ```
   *
   * @category constructors
   * @since 0.1.0
   */
  delete_ as delete
}

/**
 * Reads the data and the Stat of a znode, among the operations of `read`.
 *
 * @example
 * ```ts
 * import { Op } from "@effect-zookeeper/client"
 *
 * export const settings = [Op.get("/config/theme"), Op.get("/config/limits")] as const
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const get = (path: string): Get => ({ _tag: "Get", path })

/**
 * Lists the names of the children of a znode, among the operations of `read`.
 *
 * @example
 * ```ts
 * import { Op } from "@effect-zookeeper/client"
 *
 * export const overview = [Op.get("/jobs"), Op.getChildren("/jobs")] as const
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const getChildren = (path: string): GetChildren => ({ _tag: "GetChildren", path })

// ---- internal

const versionOptions = KnownOptions.make<{ readonly version?: number | undefined }>({ version: true }, "{ version: 0 }")
