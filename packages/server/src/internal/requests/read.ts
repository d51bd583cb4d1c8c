/**
 * Reads, which change nothing, but may set a watch. They do not check paths: an invalid path is one without a znode.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as AccessControl from "../state/AccessControl.ts"
import { inServerOrder } from "../state/listingOrder.ts"
import * as Znode from "../state/Znode.ts"
import { type Context, type Handler, on } from "./Handler.ts"

interface WatchedRead {
  readonly path: string
  readonly watch: boolean
}

const { ADMIN, READ } = Acl.Perms

/** The znode, or the code of an error if the connection has none of the permissions. */
const readable = ({ client, replica }: Context, path: string, perms: number): Znode.Znode | number => {
  const node = replica.tree.get(path)
  if (node === undefined) return codes.NoNode
  return AccessControl.allows(node.acl, perms, client.identities) ? node : codes.NoAuth
}

export const getData = (context: Context, { path, watch }: WatchedRead) => {
  const node = readable(context, path, READ)
  if (typeof node === "number") return node
  if (watch) context.replica.watches.add("data", path, context.client, "once")
  return { data: node.data, stat: Znode.statOf(node) }
}

export const getChildren = (context: Context, { path, watch }: WatchedRead) => {
  const node = readable(context, path, READ)
  if (typeof node === "number") return node
  if (watch) context.replica.watches.add("children", path, context.client, "once")
  return { children: inServerOrder(node.children, 8), stat: Znode.statOf(node) }
}

const exists = ({ client, replica, state }: Context, { path, watch }: WatchedRead) => {
  if (path.includes("\0")) return codes.BadArguments
  const node = replica.tree.get(path)
  if (state.settings.release.existsNeedsRead && node !== undefined) {
    if (!AccessControl.allows(node.acl, READ, client.identities)) return codes.NoAuth
  }
  if (watch) replica.watches.add("data", path, client, "once")
  return node === undefined ? codes.NoNode : { stat: Znode.statOf(node) }
}

const getAcl = (context: Context, { path }: { readonly path: string }) => {
  const node = readable(context, path, READ | ADMIN)
  if (typeof node === "number") return node
  const shown = AccessControl.allows(node.acl, ADMIN, context.client.identities)
    ? node.acl
    : AccessControl.maskDigests(node.acl)
  return { acl: shown, stat: Znode.statOf(node) }
}

const countDescendants = (context: Context, { path }: { readonly path: string }) => {
  const node = readable(context, path, READ)
  return typeof node === "number" ? node : { totalNumber: context.replica.tree.countDescendants(path) }
}

const getEphemerals = ({ replica, session }: Context, { prefixPath }: { readonly prefixPath: string | null }) => {
  const prefix = prefixPath === null || /^[\0- ]*\/?[\0- ]*$/.test(prefixPath) ? "" : prefixPath
  const own = inServerOrder(replica.tree.ephemeralsOf(session.id), 16)
  return { ephemerals: own.filter((path) => path.startsWith(prefix)) }
}

/** The answer shows the user of a digest identity, but not its hash. */
const whoAmI = ({ client }: Context) => ({
  clientInfo: client.identities.map(({ id, scheme }) => ({
    authScheme: scheme,
    user: scheme === "digest" ? id.slice(0, id.indexOf(":")) : id
  }))
})

const sync = ({ outcome, replica }: Context, request: { readonly path: string }) => {
  replica.catchUp(outcome.events)
  return request
}

export const handlers: ReadonlyArray<Handler> = [
  on(Operations.exists, exists),
  on(Operations.getData, getData),
  on(Operations.getChildren, getChildren),
  on(Operations.getChildren2, getChildren),
  on(Operations.getACL, getAcl),
  on(Operations.getAllChildrenNumber, countDescendants),
  on(Operations.getEphemerals, getEphemerals),
  on(Operations.whoAmI, whoAmI),
  // A server that has lost the others cannot ask the leader.
  on(Operations.sync, sync, true)
]
