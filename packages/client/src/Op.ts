/**
 * The operations of a transaction and of a joint read, as plain values.
 *
 * ```ts
 * const [path, , stat] = yield* zk.transaction([
 *   Op.create("/jobs/job-", { data: "payload", mode: "persistentSequential" }),
 *   Op.check("/leader", 3),
 *   Op.setData("/jobs", "1")
 * ])
 * ```
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Result from "effect/Result"
import type { NoAuth, NoNode } from "./Errors.ts"
import { versionOptions } from "./internal/methodOptions.ts"
import type { Data, DataAndStat, Stat, ZnodeOptions } from "./Models.ts"

/** @category models @since 0.1.0 */
export interface Create {
  readonly _tag: "Create"
  readonly path: string
  readonly options: ZnodeOptions
}

/** @category models @since 0.1.0 */
export interface Check {
  readonly _tag: "Check"
  readonly path: string
  readonly version: number
}

/** @category models @since 0.1.0 */
export interface SetData {
  readonly _tag: "SetData"
  readonly path: string
  readonly data: Data
  readonly version: number
  /** What is wrong with the options that it was made with; the transaction fails with it. */
  readonly mistake?: InvalidArgument | undefined
}

/** @category models @since 0.1.0 */
export interface Delete {
  readonly _tag: "Delete"
  readonly path: string
  readonly version: number
  /** What is wrong with the options that it was made with; the transaction fails with it. */
  readonly mistake?: InvalidArgument | undefined
}

/** @category models @since 0.1.0 */
export interface Get {
  readonly _tag: "Get"
  readonly path: string
}

/** @category models @since 0.1.0 */
export interface GetChildren {
  readonly _tag: "GetChildren"
  readonly path: string
}

/**
 * What may stand in a transaction.
 *
 * @category models
 * @since 0.1.0
 */
export type Write = Create | Check | SetData | Delete

/**
 * What may stand in a joint read.
 *
 * @category models
 * @since 0.1.0
 */
export type Read = Get | GetChildren

/**
 * What an operation of a transaction gives: the created path, the new Stat, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type WriteResult<O extends Write> = O extends Create ? string : O extends SetData ? Stat : void

/** By the order of the operations. @category models @since 0.1.0 */
export type WriteResults<Ops extends ReadonlyArray<Write>> = { -readonly [K in keyof Ops]: WriteResult<Ops[K]> }

/**
 * What an operation of a joint read gives; each fails by itself.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadResult<O extends Read> = Result.Result<
  O extends Get ? DataAndStat : ReadonlyArray<string>,
  NoNode | NoAuth
>

/** By the order of the operations. @category models @since 0.1.0 */
export type ReadResults<Ops extends ReadonlyArray<Read>> = { -readonly [K in keyof Ops]: ReadResult<Ops[K]> }

/**
 * Creates a znode; gives its path.
 *
 * @category constructors
 * @since 0.1.0
 */
export const create = (path: string, options: ZnodeOptions = {}): Create => ({ _tag: "Create", path, options })

/**
 * Changes nothing, and fails the transaction unless the znode exists and has this version. A version left out, or -1,
 * asks for no more than that it exists.
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (path: string, version = -1): Check => ({ _tag: "Check", path, version })

/**
 * Writes data; gives the new Stat. A version left out means any.
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

/**
 * Deletes a znode without children. A version left out means any.
 *
 * @category constructors
 * @since 0.1.0
 */
const delete_ = (path: string, options?: { readonly version?: number | undefined }): Delete => {
  const mistake = KnownOptions.check(versionOptions, options)
  return mistake === undefined
    ? { _tag: "Delete", path, version: options?.version ?? -1 }
    : { _tag: "Delete", path, version: -1, mistake }
}

export {
  /**
   * Deletes a znode without children. A version left out means any.
   *
   * @category constructors
   * @since 0.1.0
   */
  delete_ as delete
}

/**
 * Reads data and Stat, in a joint read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const get = (path: string): Get => ({ _tag: "Get", path })

/**
 * Reads the names of the children, in a joint read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const getChildren = (path: string): GetChildren => ({ _tag: "GetChildren", path })
