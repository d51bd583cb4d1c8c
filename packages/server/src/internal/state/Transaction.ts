/**
 * The log that all members follow: each entry is a write that has been checked.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"

/**
 * One change of the tree. It does not depend on when and where it is applied.
 *
 * @category models
 * @since 0.1.0
 */
export type Change =
  | {
      readonly _tag: "Create"
      readonly path: string
      readonly data: Uint8Array | null
      readonly acl: ReadonlyArray<Acl>
      /** A session, `StoredZnode.containerOwner`, `StoredZnode.ttlOwner`, or 0. */
      readonly owner: bigint
      /** The parent's count of children ever created, this one included; the count never decreases. */
      readonly parentCversion: number
    }
  | { readonly _tag: "Delete"; readonly path: string }
  | { readonly _tag: "SetData"; readonly path: string; readonly data: Uint8Array | null; readonly version: number }
  | {
      readonly _tag: "SetAcl"
      readonly path: string
      readonly acl: ReadonlyArray<Acl>
      readonly aversion: number
    }
  | { readonly _tag: "Check"; readonly path: string }

/**
 * An entry of the log: changes that are applied together. A refused write has no changes, but takes a zxid.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transaction {
  readonly zxid: bigint
  /** Milliseconds since 1970. */
  readonly time: number
  readonly changes: ReadonlyArray<Change>
}
