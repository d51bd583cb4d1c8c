/**
 * The requests that add, test, remove and restore watches.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import * as AccessControl from "../state/AccessControl.ts"
import type { Kind, Mode } from "../state/Watches.ts"
import type { Znode } from "../state/Znode.ts"
import { type Context, type Handler, on } from "./Handler.ts"

/** The modes, by their numbers on the wire. */
const modes: ReadonlyArray<Mode> = ["persistent", "recursive"]

/** The kinds of watches, by their numbers on the wire. The last two are new in 3.9. */
const kinds: ReadonlyArray<Kind | undefined> = [undefined, "children", "data", "any", "persistent", "recursive"]

const kindOf = ({ state }: Context, type: number): Kind | undefined =>
  type > 3 && !state.settings.release.watchModesCoexist ? undefined : kinds[type]

const addWatch = ({ client, replica }: Context, { mode, path }: Operation.Request<typeof Operations.addWatch>) => {
  const known = modes[mode]
  if (known === undefined) return codes.MarshallingError
  replica.watches.add("any", path, client, known)
  return { err: 0 }
}

const removeWatches = (context: Context, { path, type }: Operation.Request<typeof Operations.removeWatches>) => {
  const kind = kindOf(context, type)
  if (kind === undefined) return codes.MarshallingError
  return context.replica.watches.remove(kind, path, context.client) ? undefined : codes.NoWatcher
}

const checkWatches = (context: Context, { path, type }: Operation.Request<typeof Operations.checkWatches>) => {
  const kind = kindOf(context, type)
  if (kind === undefined) return codes.MarshallingError
  const found = context.replica.watches.isWatched(kind, path, context.client)
  if (found === undefined) return codes.MarshallingError
  return found ? undefined : codes.NoWatcher
}

/**
 * Restores the watches of a client after a reconnection. A one-shot watch whose znode has changed since fires at once; the
 * others are set. Persistent watches are only set. An event of a znode that the client may not read is sent until 3.8, and
 * kept back since 3.9.6.
 */
const setWatches = (
  { client, outcome, replica, state }: Context,
  request: Operation.Request<typeof Operations.setWatches> & Partial<Operation.Request<typeof Operations.setWatches2>>
): void => {
  const { tree, watches } = replica
  const { relativeZxid } = request
  const { existsNeedsRead } = state.settings.release
  const tell = (type: WatchEventType, path: string, node?: Znode) => {
    if (existsNeedsRead && node !== undefined && !AccessControl.allows(node.acl, Acl.Perms.READ, client.identities))
      return
    outcome.events.push({ to: client, type, path, zxid: undefined })
  }
  for (const path of request.dataWatches) {
    const node = tree.get(path)
    if (node === undefined) tell("NodeDeleted", path)
    else if (node.mzxid > relativeZxid) tell("NodeDataChanged", path, node)
    else watches.add("data", path, client, "once")
  }
  for (const path of request.existWatches) {
    const node = tree.get(path)
    if (node === undefined) watches.add("data", path, client, "once")
    else tell("NodeCreated", path, node)
  }
  for (const path of request.childWatches) {
    const node = tree.get(path)
    if (node === undefined) tell("NodeDeleted", path)
    else if (node.pzxid > relativeZxid) tell("NodeChildrenChanged", path, node)
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
