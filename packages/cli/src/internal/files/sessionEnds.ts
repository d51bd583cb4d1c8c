/** The znodes that go with a session: servers log their paths since ZooKeeper 3.6. */
import type { SimpleChange, Transaction } from "@effect-zookeeper/storage"

/**
 * Adds them to the ends of sessions that have none, for older logs: they are the ephemeral znodes that the session has created in
 * the transactions before. Each transaction has to be given to it, in its order.
 */
export const makeSessionEnds = (): ((transaction: Transaction) => Transaction) => {
  const ownerOf = new Map<string, bigint>()
  const owned = new Map<bigint, Set<string>>()
  const apply = (change: SimpleChange, session: bigint): void => {
    if (change._tag === "Create" && change.ephemeral) {
      ownerOf.set(change.path, session)
      const paths = owned.get(session) ?? new Set<string>()
      owned.set(session, paths.add(change.path))
    }
    if (change._tag === "Delete") {
      const owner = ownerOf.get(change.path)
      if (owner !== undefined) owned.get(owner)?.delete(change.path)
      ownerOf.delete(change.path)
    }
  }
  return (transaction) => {
    const { change, session } = transaction
    switch (change._tag) {
      case "CreateSession":
        return transaction
      case "CloseSession": {
        const paths = [...(owned.get(session) ?? [])]
        owned.delete(session)
        for (const path of paths) ownerOf.delete(path)
        return change.paths === undefined && paths.length > 0
          ? { ...transaction, change: { _tag: "CloseSession", paths } }
          : transaction
      }
      case "Multi":
        if (!change.changes.some(({ _tag }) => _tag === "Error")) {
          for (const part of change.changes) apply(part, session)
        }
        return transaction
      default:
        apply(change, session)
        return transaction
    }
  }
}
