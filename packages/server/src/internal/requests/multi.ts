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
import type { Release } from "../state/Release.ts"
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
  const { release } = context.state.settings
  const problem = ops === undefined ? "unreadable" : problemOf(ops, release)
  if (ops === undefined || problem !== undefined || ops.some(isRead)) {
    if (problem !== "noAcl") commit(context, [])
    return failed(multi, codes.MarshallingError)
  }
  const speculation = new SpeculativeTree(context.state.leader.tree)
  const requester = requesterOf(context)
  const changes: Array<Change> = []
  for (const op of ops) {
    const change = prepare(speculation, requester, op, release)
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
    changes.map((change, index) =>
      resultOf(change, stats[index], release.multiGoesByOpCode && ops[index]?.operation === "create2")
    )
  )
}

/** Each read succeeds or fails by itself. Watch flags are ignored. */
const runMultiRead = (context: Context, body: Parameters<Handler["run"]>[1]): Answer => {
  const { multiRead } = Operations
  const request = Jute.attempt(multiRead.request, body)
  if (Result.isFailure(request)) return failed(multiRead, codes.MarshallingError)
  const ops = request.success
  const reads = ops.filter(isRead)
  if (problemOf(ops, context.state.settings.release) !== undefined) return failed(multiRead, codes.MarshallingError)
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

/**
 * The reason why a server cannot read the operations, by the first that it stumbles over: reads among writes, and since 3.9 a
 * create of an unknown mode (`unreadable`) or without an ACL (`noAcl`), which takes no zxid.
 */
const problemOf = (ops: ReadonlyArray<Op>, { multiGoesByOpCode }: Release): "unreadable" | "noAcl" | undefined => {
  const isFirstRead = ops[0] !== undefined && isRead(ops[0])
  for (const op of ops) {
    if (multiGoesByOpCode && isPlainCreate(op)) {
      const mode = CreateMode.fromFlags(op.request.flags)
      if (mode === undefined) return "unreadable"
      if (op.request.acl === null) return "noAcl"
      if (CreateMode.hasTtl(mode)) return "unreadable"
    }
    if (isRead(op) !== isFirstRead) return "unreadable"
  }
  return undefined
}

const isPlainCreate = (op: Op): op is Operations.MultiOp<"create" | "create2" | "createContainer"> =>
  op.operation === "create" || op.operation === "create2" || op.operation === "createContainer"

const prepare = (speculation: SpeculativeTree, requester: Requester, op: Op, release: Release): Change | number => {
  switch (op.operation) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTTL": {
      const kind = kindOf(op.operation, op.request.flags, release)
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
 * Within a multi the flags decide what is created, whatever the operation is until 3.8; only createTTL has a time to live.
 */
const kindOf = (
  name: "create" | "create2" | "createContainer" | "createTTL",
  flags: number,
  { multiGoesByOpCode }: Release
): "create" | "createContainer" | "createTTL" | undefined => {
  const mode = CreateMode.fromFlags(flags)
  if (mode !== undefined && CreateMode.hasTtl(mode)) return name === "createTTL" ? name : undefined
  const isContainer = mode === "container" || (multiGoesByOpCode && name === "createContainer")
  return isContainer ? "createContainer" : "create"
}

const withoutTtl = ({ acl, data, flags, path }: CreateRequest): CreateRequest => ({ acl, data, flags, path })

/** The results of a failed transaction: one operation has the error, those before were undone, those after not tried. */
const rolledBack = (count: number, failedAt: number, error: number): ReadonlyArray<OpResult> =>
  Array.from({ length: count }, (_, index) => ({
    operation: "error",
    error: index < failedAt ? codes.Ok : index === failedAt ? error : codes.RuntimeInconsistency
  }))

/** Containers and TTL znodes are answered with a Stat, and create2 since 3.8.2: before, it is answered like create. */
const resultOf = (change: Change, stat: Stat | undefined, isCreate2: boolean): OpResult => {
  switch (change._tag) {
    case "Create": {
      const { owner, path } = change
      const kind = StoredZnode.kindOf(owner)
      return isCreate2 || kind === "container" || kind === "ttl"
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
