/**
 * multi and multiRead: several writes in one transaction, and several reads in one request.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import * as Result from "effect/Result"
import type { Change } from "../state/Transaction.ts"
import { SpeculativeTree } from "../state/SpeculativeTree.ts"
import { type CreateRequest, prepareCreate } from "./create.ts"
import { prepareDelete } from "./delete.ts"
import { type Answer, answered, type Context, failed, type Handler, onBytes } from "./Handler.ts"
import * as Read from "./read.ts"
import type { Requester } from "./Requester.ts"
import { prepareCheck, prepareSetData } from "./update.ts"
import { commit, requesterOf } from "./write.ts"

type Op = Operations.MultiOp
type OpResult = Operations.MultiResult

/** All or nothing, under one zxid. Each operation sees the effects of those before it. */
const runMulti = (context: Context, body: Parameters<Handler["run"]>[1]): Answer => {
  const { multi } = Operations
  const request = Jute.attempt(multi.request, body)
  const ops = Result.isSuccess(request) ? request.success : undefined
  if (ops === undefined || ops.some(isRead)) {
    commit(context, [])
    return failed(multi, codes.MarshallingError)
  }
  const speculation = new SpeculativeTree(context.state.leader.tree)
  const requester = requesterOf(context)
  const changes: Array<Change> = []
  for (const op of ops) {
    const change = prepare(speculation, requester, op)
    if (change === codes.MarshallingError) {
      commit(context, [])
      return failed(multi, codes.MarshallingError)
    }
    if (typeof change === "number") {
      commit(context, [])
      return answered(multi, rolledBack(ops.length, changes.length, change))
    }
    changes.push(change)
  }
  const stats = commit(context, changes)
  return answered(
    multi,
    changes.map((change, index) => resultOf(change, stats[index]))
  )
}

/** Each read succeeds or fails by itself. Watch flags are ignored. */
const runMultiRead = (context: Context, body: Parameters<Handler["run"]>[1]): Answer => {
  const { multiRead } = Operations
  const request = Jute.attempt(multiRead.request, body)
  if (Result.isFailure(request)) return failed(multiRead, codes.MarshallingError)
  const ops = request.success
  const reads = ops.filter(isRead)
  if (reads.length > 0 && reads.length < ops.length) return failed(multiRead, codes.MarshallingError)
  // A real server begins to write its answer before it checks the operations.
  if (ops.length > 0 && reads.length === 0) return { err: codes.MarshallingError, row: multiRead, response: [] }
  return answered(
    multiRead,
    reads.map(({ operation, request: { path } }): OpResult => {
      const watchless = { path, watch: false }
      if (operation === "getData") {
        const response = Read.getData(context, watchless)
        return typeof response === "number" ? { operation: "error", error: response } : { operation, response }
      }
      const response = Read.getChildren(context, watchless)
      return typeof response === "number" ? { operation: "error", error: response } : { operation, response }
    })
  )
}

export const multi = onBytes(Operations.multi, runMulti, true)

export const multiRead = onBytes(Operations.multiRead, runMultiRead)

const isRead = (op: Op): op is Operations.MultiOp<"getData" | "getChildren"> =>
  op.operation === "getData" || op.operation === "getChildren"

const prepare = (speculation: SpeculativeTree, requester: Requester, op: Op): Change | number => {
  switch (op.operation) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL": {
      const kind = kindOf(op.operation, op.request.flags)
      return kind === undefined
        ? codes.MarshallingError
        : prepareCreate(speculation, requester, kind, kind === "createTTL" ? op.request : withoutTtl(op.request))
    }
    case "delete":
      return prepareDelete(speculation, requester, op.request)
    case "setData":
      return prepareSetData(speculation, requester, op.request)
    case "check":
      return prepareCheck(speculation, requester, op.request)
    case "getData":
    case "getChildren":
      return codes.MarshallingError
  }
}

/**
 * Within a multi the flags decide what is created, whatever the operation is; only createTTL has a time to live.
 */
const kindOf = (
  name: "create" | "create2" | "createContainer" | "createTTL",
  flags: number
): "create" | "createContainer" | "createTTL" | undefined => {
  const mode = CreateMode.fromFlags(flags)
  if (mode !== undefined && CreateMode.hasTtl(mode)) return name === "createTTL" ? name : undefined
  return mode === "container" ? "createContainer" : "create"
}

const withoutTtl = ({ acl, data, flags, path }: CreateRequest): CreateRequest => ({ acl, data, flags, path })

/** The results of a failed transaction: one operation has the error, those before were undone, those after not tried. */
const rolledBack = (count: number, failedAt: number, error: number): ReadonlyArray<OpResult> =>
  Array.from({ length: count }, (_, index) => ({
    operation: "error",
    error: index < failedAt ? codes.Ok : index === failedAt ? error : codes.RuntimeInconsistency
  }))

/** The results of 3.8.0, which answers create2 like create, and containers and TTL znodes with a Stat. */
const resultOf = (change: Change, stat: Stat | undefined): OpResult => {
  switch (change._tag) {
    case "Create": {
      const { owner, path } = change
      const kind = StoredZnode.kindOf(owner)
      return kind === "container" || kind === "ttl"
        ? { operation: "create2", response: { path, stat: stat! } }
        : { operation: "create", response: { path } }
    }
    case "SetData":
      return { operation: "setData", response: { stat: stat! } }
    case "Delete":
      return { operation: "delete", response: undefined }
    default:
      return { operation: "check", response: undefined }
  }
}
