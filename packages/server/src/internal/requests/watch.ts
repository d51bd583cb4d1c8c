/**
 * The requests that add, test, remove and restore watches.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import type { Mode, Table } from "../state/Watches.ts"
import { type Context, type Handler, on } from "./Handler.ts"

/** The modes, by their numbers on the wire. */
const modes: ReadonlyArray<Mode> = ["persistent", "recursive"]

/** The tables, by their numbers on the wire; 3.9 has more of them. */
const tables: ReadonlyArray<Table | undefined> = [undefined, "children", "data", "any"]

const addWatch = ({ client, replica }: Context, { mode, path }: Operation.Request<typeof Operations.addWatch>) => {
  const known = modes[mode]
  if (known === undefined) return codes.MarshallingError
  replica.watches.add("any", path, client, known)
  return { err: 0 }
}

const removeWatches = (
  { client, replica }: Context,
  { path, type }: Operation.Request<typeof Operations.removeWatches>
) => {
  const table = tables[type]
  if (table === undefined) return codes.MarshallingError
  return replica.watches.remove(table, path, client) ? undefined : codes.NoWatcher
}

const checkWatches = ({ replica }: Context, { path, type }: Operation.Request<typeof Operations.checkWatches>) => {
  const table = tables[type]
  if (table === undefined) return codes.MarshallingError
  const found = replica.watches.isWatched(table, path)
  if (found === undefined) return codes.MarshallingError
  return found ? undefined : codes.NoWatcher
}

/**
 * Restores the watches of a client after a reconnection. A one-shot watch whose znode has changed since fires at once,
 * whatever the ACL says; the others are set. Persistent watches are only set.
 */
const setWatches = (
  { client, outcome, replica }: Context,
  request: Operation.Request<typeof Operations.setWatches> & Partial<Operation.Request<typeof Operations.setWatches2>>
): void => {
  const { tree, watches } = replica
  const { relativeZxid } = request
  const tell = (type: WatchEventType, path: string) => outcome.events.push({ to: client, type, path })
  for (const path of request.dataWatches) {
    const node = tree.get(path)
    if (node === undefined) tell("NodeDeleted", path)
    else if (node.mzxid > relativeZxid) tell("NodeDataChanged", path)
    else watches.add("data", path, client, "once")
  }
  for (const path of request.existWatches) {
    if (tree.get(path) === undefined) watches.add("data", path, client, "once")
    else tell("NodeCreated", path)
  }
  for (const path of request.childWatches) {
    const node = tree.get(path)
    if (node === undefined) tell("NodeDeleted", path)
    else if (node.pzxid > relativeZxid) tell("NodeChildrenChanged", path)
    else watches.add("children", path, client, "once")
  }
  for (const path of request.persistentWatches ?? []) watches.add("any", path, client, "persistent")
  for (const path of request.persistentRecursiveWatches ?? []) watches.add("any", path, client, "recursive")
}

export const handlers: ReadonlyArray<Handler> = [
  on(Operations.addWatch, addWatch),
  on(Operations.removeWatches, removeWatches),
  on(Operations.checkWatches, checkWatches),
  on(Operations.setWatches, setWatches),
  on(Operations.setWatches2, setWatches)
]
