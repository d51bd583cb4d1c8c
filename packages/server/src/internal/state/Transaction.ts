/**
 * What a write comes to once it has been judged: the entries of the one log that all members of a server follow.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"

/**
 * One change of the tree. Nothing in it depends on when or where it is applied.
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
      /** A session, `Znode.CONTAINER`, `Znode.ttlOwner`, or 0. */
      readonly owner: bigint
      /** The parent's count of children ever created, this one included; it never sets that count back. */
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
 * An entry of the log: changes that happen together. A write that was refused has none, and takes a zxid nevertheless.
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
