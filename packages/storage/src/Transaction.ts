/**
 * Transactions as servers log them.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"

/**
 * A transaction of a log.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transaction {
  readonly zxid: bigint
  /** When the leader made it, in milliseconds since 1970. */
  readonly time: number
  /** The session that asked for it. */
  readonly session: bigint
  /** The xid of the request; 0 for transactions of the server itself. */
  readonly cxid: number
  readonly change: Change
  /** The digest of the tree after it; since ZooKeeper 3.6, unless digests are switched off. */
  readonly digest: { readonly version: number; readonly value: bigint } | undefined
  /** Where it begins in the file, in bytes. */
  readonly offset: number
  /** How many bytes of the file it takes. */
  readonly size: number
}

/**
 * The change that a transaction made. Versions and counters are those after it.
 *
 * @category models
 * @since 0.1.0
 */
export type Change =
  | SimpleChange
  /** A session began; `timeout` in milliseconds. */
  | { readonly _tag: "CreateSession"; readonly timeout: number }
  /** A session ended, and its ephemeral znodes with it. `paths` are these; they are logged since ZooKeeper 3.6. */
  | { readonly _tag: "CloseSession"; readonly paths: ReadonlyArray<string> | undefined }
  /**
   * Several changes together. If one of them is an `Error`, the transaction was refused, and none of the others has an effect,
   * although those before it may be logged as if they had.
   */
  | { readonly _tag: "Multi"; readonly changes: ReadonlyArray<SimpleChange> }

/**
 * A change that can be a part of a `Multi`.
 *
 * @category models
 * @since 0.1.0
 */
export type SimpleChange =
  | {
      readonly _tag: "Create"
      /** The operation of the request. */
      readonly operation: "create" | "create2" | "createContainer" | "createTTL"
      readonly path: string
      readonly data: Uint8Array | null
      readonly acl: ReadonlyArray<Acl>
      /** Whether the session of the transaction owns the znode. */
      readonly ephemeral: boolean
      /** Milliseconds; undefined unless the operation is `createTTL`. */
      readonly ttl: bigint | undefined
      /** How many children were ever created at the parent; -1 in logs of ZooKeeper 3.3, which do not have it. */
      readonly parentCversion: number
    }
  /** `container` tells a container or TTL znode that the server deleted by itself. */
  | { readonly _tag: "Delete"; readonly path: string; readonly container: boolean }
  | {
      readonly _tag: "SetData"
      readonly path: string
      readonly data: Uint8Array | null
      readonly version: number
      /** Whether it is a new configuration of the ensemble. */
      readonly reconfig: boolean
    }
  | { readonly _tag: "SetAcl"; readonly path: string; readonly acl: ReadonlyArray<Acl>; readonly version: number }
  /** The version of a znode was checked. Servers log the version above it. */
  | { readonly _tag: "Check"; readonly path: string; readonly version: number }
  /** A request that was refused; see `ErrorCode` of the protocol. In a `Multi`, 0 and -2 are those of operations that were not to blame. */
  | { readonly _tag: "Error"; readonly code: number }
