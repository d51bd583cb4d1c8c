/**
 * Transactions: many writes in one request, all or none.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { MultiOp, MultiResult } from "@effect-zookeeper/protocol/Operations"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import type { ProtocolError, SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { TransactionFailed } from "../Errors.ts"
import type { OperationError } from "../Errors.ts"
import type * as Op from "../Op.ts"
import type { Service } from "../ZooKeeper.ts"
import { badAnswer } from "./answers.ts"
import { argumentOf, badData, badVersion, encodeData, invalid, isVersion, prepareCreate } from "./arguments.ts"
import { send, toClient } from "./View.ts"
import type { View } from "./View.ts"

type Request = MultiOp<keyof typeof Operations.writes>

type TransactionError = TransactionFailed | InvalidArgument | SessionError

export const makeTransaction = (view: View): Pick<Service, "transaction"> => ({
  transaction: (ops) => transaction(view, ops)
})

const transaction = <const Ops extends ReadonlyArray<Op.Write>>(
  view: View,
  ops: Ops
): Effect.Effect<Op.WriteResults<Ops>, TransactionError> => {
  const request: Array<Request> = []
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index]
    if (op === undefined) break
    const prepared = prepare(view, op, index)
    if (Result.isFailure(prepared)) return Effect.fail(prepared.failure)
    request.push(prepared.success)
  }
  const results: Effect.Effect<ReadonlyArray<Op.WriteResult<Op.Write>>, TransactionError> = request.length === 0
    ? Effect.succeed([])
    : Effect.flatMap(send(view, Operations.multi, request, ""), (responses) => toResults(view, ops, request, responses))
  // The results stand in the order of the operations, each of the type that its operation has.
  return results as Effect.Effect<Op.WriteResults<Ops>, TransactionError>
}

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const prepare = (view: View, op: Op.Write, index: number): Result.Result<Request, InvalidArgument> => {
  if (op._tag === "Create") {
    const prepared = prepareCreate(view, op.path, op.options, index)
    if (Result.isFailure(prepared)) return Result.fail(prepared.failure)
    const { mode, request, ttl } = prepared.success
    if (mode === "container") return Result.succeed({ operation: "createContainer", request })
    return Result.succeed(
      CreateMode.hasTtl(mode)
        ? { operation: "createTTL", request: { ...request, ttl } }
        : { operation: "create", request }
    )
  }
  const rule = ZnodePath.check(op.path)
  if (rule !== undefined) return Result.fail(invalid(argumentOf(index, "path"), op.path, rule))
  if (!isVersion(op.version)) return Result.fail(badVersion(op.version, argumentOf(index, "version")))
  const path = ZnodePath.toServer(view.chroot, op.path)
  switch (op._tag) {
    case "Check":
      return Result.succeed({ operation: "check", request: { path, version: op.version } })
    case "Delete":
      return op.path === "/"
        ? Result.fail(invalid(argumentOf(index, "path"), op.path, "the root cannot be deleted"))
        : Result.succeed({ operation: "delete", request: { path, version: op.version } })
    case "SetData": {
      const data = encodeData(op.data)
      return data === undefined
        ? Result.fail(badData(op.data, argumentOf(index, "data")))
        : Result.succeed({ operation: "setData", request: { path, data, version: op.version } })
    }
  }
}

// -----------------------------------------------------------------------------
// results
// -----------------------------------------------------------------------------

const toResults = (
  view: View,
  ops: ReadonlyArray<Op.Write>,
  request: ReadonlyArray<Request>,
  responses: ReadonlyArray<MultiResult>
): Effect.Effect<ReadonlyArray<Op.WriteResult<Op.Write>>, TransactionError> => {
  if (responses.length !== ops.length) {
    return mismatch(`${responses.length} results for ${ops.length} operations`)
  }
  if (responses.some((response) => response.operation === "error")) {
    return failure(ops, request, responses)
  }
  const results: Array<Op.WriteResult<Op.Write>> = []
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index]
    const response = responses[index]
    // Results say themselves what they are: a container is answered like any other znode.
    if (op?._tag === "Create" && response !== undefined && "response" in response && hasPath(response.response)) {
      view.versions?.created(response.response.path)
      results.push(toClient(view, response.response.path))
    } else if (op?._tag === "SetData" && response?.operation === "setData") {
      view.versions?.sawData(ZnodePath.toServer(view.chroot, op.path), response.response.stat.version)
      results.push(response.response.stat)
    } else if (op?._tag === "Check" && response?.operation === "check") {
      results.push(undefined)
    } else if (op?._tag === "Delete" && response?.operation === "delete") {
      view.versions?.forget(ZnodePath.toServer(view.chroot, op.path))
      results.push(undefined)
    } else {
      return mismatch(`the result of operation ${index} is one of ${response?.operation ?? "nothing"}`)
    }
  }
  return Effect.succeed(results)
}

const hasPath = (response: object | void): response is { readonly path: string } =>
  typeof response === "object" && "path" in response && typeof response.path === "string"

const mismatch = (why: string): Effect.Effect<never, ProtocolError> => badAnswer({ operation: "multi", path: "" }, why)

/** The operations that were not run have this code, those before the one that failed have 0. */
const notRun = ErrorCode.codes.RuntimeInconsistency

const failure = (
  ops: ReadonlyArray<Op.Write>,
  request: ReadonlyArray<Request>,
  responses: ReadonlyArray<MultiResult>
): Effect.Effect<never, TransactionFailed | ProtocolError> => {
  let failed: { readonly index: number; readonly error: OperationError } | undefined
  const results: Array<"rolledBack" | "notRun" | OperationError> = []
  for (let index = 0; index < responses.length; index++) {
    const response = responses[index]
    const code = response?.operation === "error" ? response.error : 0
    if (code === 0) results.push("rolledBack")
    else if (code === notRun) results.push("notRun")
    else {
      const error = toError(code, { operation: request[index]?.operation ?? "multi", path: ops[index]?.path ?? "" })
      failed ??= { index, error }
      results.push(error)
    }
  }
  return failed === undefined
    ? mismatch("the transaction failed, and no operation of it did")
    : Effect.fail(new TransactionFailed({ ...failed, results }))
}

const toError = (code: number, subject: { readonly operation: string; readonly path: string }): OperationError =>
  ServerError.fromCode(
    code,
    [
      "NoNode",
      "NoAuth",
      "BadVersion",
      "NodeExists",
      "NotEmpty",
      "NoChildrenForEphemerals",
      "InvalidACL",
      "QuotaExceeded"
    ],
    subject
  ) ?? new ServerRefused({ ...subject, code, name: ErrorCode.nameOf(code) })
