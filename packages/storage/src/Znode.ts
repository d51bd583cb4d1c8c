/**
 * Znodes as servers keep them, in memory and in snapshots.
 *
 * @since 0.1.0
 */
import { jsonOf } from "@effect-zookeeper/protocol/Json"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"

/**
 * A znode as a server keeps it, with its path. The fields of its Stat have the names that they have there; `statOf` gives the
 * Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode extends StoredZnode.StoredZnode {
  /** Absolute; the root is `/`. */
  readonly path: string
}

/**
 * The kind of a znode by its owner. Containers exist since ZooKeeper 3.5.1, and TTL znodes since 3.5.3.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | { readonly _tag: "Persistent" }
  | { readonly _tag: "Ephemeral"; readonly session: bigint }
  | { readonly _tag: "Container" }
  /** `ttl` is in milliseconds. */
  | { readonly _tag: "Ttl"; readonly ttl: number }

export { containerOwner, statOf, ttlOwner } from "@effect-zookeeper/protocol/StoredZnode"

/**
 * The kind of a znode by its owner. The sessions of servers with the id 255 look like TTL znodes: ZooKeeper refuses TTLs there.
 *
 * @example
 * ```ts
 * import { Znode } from "@effect-zookeeper/storage"
 *
 * Znode.kindOf(Znode.ttlOwner(60_000n)) // { _tag: "Ttl", ttl: 60000 }
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (owner: bigint): Kind => {
  switch (StoredZnode.kindOf(owner)) {
    case "persistent":
      return { _tag: "Persistent" }
    case "container":
      return { _tag: "Container" }
    case "ttl":
      return { _tag: "Ttl", ttl: StoredZnode.ttlOf(owner) }
    case "ephemeral":
      return new Ephemeral(owner)
  }
}

// ---- internal

/** A class only for the sake of `toJSON`, which costs nothing on the prototype. */
class Ephemeral {
  readonly _tag = "Ephemeral"
  readonly session: bigint

  constructor(session: bigint) {
    this.session = session
  }

  toJSON(): unknown {
    return jsonOf(this)
  }
}
