/**
 * Writes, which are checked on a speculative tree and then put into the log. A refused write takes a zxid, too.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import type * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as Result from "effect/Result"
import type { Change } from "../state/Transaction.ts"
import { SpeculativeTree } from "../state/SpeculativeTree.ts"
import { prepareCreate } from "./create.ts"
import { prepareDelete } from "./delete.ts"
import { answered, type Context, failed, type Handler, on, onBytes } from "./Handler.ts"
import type { Requester } from "./Requester.ts"
import { prepareSetAcl, prepareSetData } from "./update.ts"

export const requesterOf = ({ client, session, state }: Context): Requester => ({
  session: session.id,
  identities: client.identities,
  local: session.local,
  rules: state.settings
})

/** Puts the changes of a write into the log; a refused write has none. */
export const commit = (
  { outcome, replica, state, time }: Context,
  changes: ReadonlyArray<Change>
): ReadonlyArray<Stat | undefined> => state.commit(changes, replica, time, outcome)

const onWrite = <Request, Response>(
  row: Operation.Operation<string, Request, Response, ServerError.Name>,
  prepare: (speculation: SpeculativeTree, requester: Requester, request: Request) => Change | number,
  respond: (path: string, stat: Stat | undefined) => Response
): Handler =>
  onBytes(
    row,
    (context, body) => {
      const request = Jute.attempt(row.request, body)
      if (Result.isFailure(request)) {
        if (context.state.settings.release.unreadableTakesZxid) commit(context, [])
        return failed(row, codes.MarshallingError)
      }
      const change = prepare(new SpeculativeTree(context.state.leader.tree), requesterOf(context), request.success)
      if (typeof change === "number") {
        commit(context, [])
        return failed(row, change)
      }
      const [stat] = commit(context, [change])
      return answered(row, respond(change.path, stat))
    },
    true
  )

const nothing = () => undefined

/** A znode that was written has a Stat. */
const statOf = (_: string, stat: Stat | undefined) => ({ stat: stat! })

const created = (path: string, stat: Stat | undefined) => ({ path, stat: stat! })

/** The members are fixed, so reconfig always fails. */
const reconfig = (context: Context) => {
  commit(context, [])
  return context.state.settings.reconfigEnabled ? codes.Unimplemented : codes.ReconfigDisabled
}

const closeSession = ({ outcome, session, state, time }: Context): void => state.endSession(session, time, outcome)

export const handlers: ReadonlyArray<Handler> = [
  onWrite(
    Operations.create,
    (speculation, who, request) => prepareCreate(speculation, who, "create", request),
    created
  ),
  onWrite(
    Operations.create2,
    (speculation, who, request) => prepareCreate(speculation, who, "create2", request),
    created
  ),
  onWrite(
    Operations.createContainer,
    (speculation, who, request) => prepareCreate(speculation, who, "createContainer", request),
    created
  ),
  onWrite(
    Operations.createTTL,
    (speculation, who, request) => prepareCreate(speculation, who, "createTTL", request),
    created
  ),
  onWrite(Operations.deleteNode, prepareDelete, nothing),
  onWrite(Operations.setData, prepareSetData, statOf),
  onWrite(Operations.setACL, prepareSetAcl, statOf),
  on(Operations.reconfig, reconfig, true),
  on(Operations.closeSession, closeSession)
]
