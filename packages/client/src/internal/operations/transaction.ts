/**
 * Transactions: many writes in one request, all or none.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { MultiOp, MultiResult } from "@effect-zookeeper/protocol/Operations"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import type { ProtocolError, SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { TransactionFailed } from "../../Errors.ts"
import type { OperationError } from "../../Errors.ts"
import type * as Op from "../../Op.ts"
import type { Service } from "../../Service.ts"
import { isLost, markUnapplied, retryTransient } from "../../Outcome.ts"
import { invalidReply } from "../replyErrors.ts"
import {
  argumentOf,
  badData,
  badVersion,
  createMode,
  createRequest,
  createTtl,
  encodeData,
  invalid,
  isInvalid,
  isVersion,
  notAnOperation,
  notAnArray
} from "../validate.ts"
import { znodeOptions } from "../methodOptions.ts"
import { send, toClient } from "../View.ts"
import type { View } from "../View.ts"

type Request = MultiOp<keyof typeof Operations.writes>

type TransactionError = TransactionFailed | InvalidArgument | SessionError

export const makeTransaction = (view: View): Pick<Service, "transaction"> => ({
  transaction: (ops) => transaction(view, ops)
})

const transaction = <const Ops extends ReadonlyArray<Op.Write>>(
  view: View,
  ops: Ops
): Effect.Effect<Op.WriteResults<Ops>, TransactionError> => {
  if (!Array.isArray(ops)) return Effect.fail(notAnArray("Op.check(path)"))
  // The answer is read by this array: the caller may have emptied its own by then.
  const request = new Array<Request>(ops.length)
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index]
    if (op === undefined || op === null) return Effect.fail(noWrite(index))
    const prepared = prepare(view, op, index)
    if (isInvalid(prepared)) return Effect.fail(prepared)
    request[index] = prepared
  }
  const results: Effect.Effect<ReadonlyArray<Op.WriteResult<Op.Write>>, TransactionError> = request.length === 0
    ? Effect.succeed([])
    : Effect.flatMap(sendUnlessRefused(view, request), (responses) => toResults(view, request, responses))
  // The results are in the order of the operations, and each has the type of its operation.
  return results as Effect.Effect<Op.WriteResults<Ops>, TransactionError>
}

/**
 * A transaction that changes nothing, for a look at the fate of an earlier write: a read that follows shows it. A `sync` is
 * not enough. It asks the leader alone, and one that others have replaced answers until it notices.
 */
export const commitNothing = (view: View, path: string): Effect.Effect<void, SessionError> =>
  // A check that is refused is committed as well.
  Effect.asVoid(
    Effect.mapError(retryTransient(send(view, Operations.multi, nothing, path), { while: isLost }), markUnapplied)
  )

const nothing: ReadonlyArray<Request> = [{ operation: "check", request: { path: "/", version: -1 } }]

// -----------------------------------------------------------------------------
// requests
// -----------------------------------------------------------------------------

const prepare = (view: View, op: Op.Write, index: number): Request | InvalidArgument => {
  if (op._tag === "Create") {
    const mistake = KnownOptions.check(znodeOptions, op.options)
    if (mistake !== undefined) return mistakeAt(index, mistake)
    const mode = createMode(op.options, index)
    if (typeof mode !== "string") return mode
    const request = createRequest(view, op.path, op.options, mode, index)
    if (isInvalid(request)) return request
    const ttl = createTtl(op.options, mode, index)
    if (typeof ttl !== "bigint") return ttl
    if (mode === "container") return { operation: "createContainer", request }
    return CreateMode.hasTtl(mode)
      ? { operation: "createTTL", request: { ...request, ttl } }
      : { operation: "create", request }
  }
  if (op._tag !== "Check" && op._tag !== "Delete" && op._tag !== "SetData") {
    return noWrite(index)
  }
  if (op._tag !== "Check" && op.mistake !== undefined) return mistakeAt(index, op.mistake)
  const rule = ZnodePath.check(op.path)
  if (rule !== undefined) return invalid(argumentOf(index, "path"), op.path, rule)
  if (!isVersion(op.version)) return badVersion(op.version, argumentOf(index, "version"))
  const path = ZnodePath.toServer(view.chroot, op.path)
  switch (op._tag) {
    case "Check":
      return { operation: "check", request: { path, version: op.version } }
    case "Delete":
      return op.path === "/"
        ? invalid(argumentOf(index, "path"), op.path, "the root cannot be deleted")
        : { operation: "delete", request: { path, version: op.version } }
    case "SetData": {
      const data = encodeData(op.data)
      return data === undefined
        ? badData(op.data, argumentOf(index, "data"))
        : { operation: "setData", request: { path, data, version: op.version } }
    }
  }
}

/** Sends it, unless the server is known to lack one of its operations: it would close the connection. */
const sendUnlessRefused = (view: View, request: ReadonlyArray<Request>) =>
  Effect.suspend(() => {
    const { serverFeatures } = view.session.info
    const lacking = request.find(({ operation }) => !serverFeatures.supports(operation))
    return lacking === undefined
      ? send(view, Operations.multi, request, "")
      : Effect.fail(
          new ServerRefused({
            operation: lacking.operation,
            path: toClient(view, lacking.request.path),
            code: ErrorCode.codes.Unimplemented,
            name: ErrorCode.nameOf(ErrorCode.codes.Unimplemented)
          })
        )
  })

const noWrite = (index: number): InvalidArgument =>
  notAnOperation(index, "transaction", ["Op.create", "Op.check", "Op.setData", "Op.delete"])

const mistakeAt = (index: number, { argument, rule, value }: InvalidArgument): InvalidArgument =>
  new InvalidArgument({ argument: argumentOf(index, argument), value, rule })

// -----------------------------------------------------------------------------
// results
// -----------------------------------------------------------------------------

const toResults = (
  view: View,
  request: ReadonlyArray<Request>,
  responses: ReadonlyArray<MultiResult>
): Effect.Effect<ReadonlyArray<Op.WriteResult<Op.Write>>, TransactionError> => {
  if (responses.length !== request.length) {
    return mismatch(`${responses.length} results for ${request.length} operations`)
  }
  // First, because no result counts if one operation failed: then none was applied.
  for (let index = 0; index < responses.length; index++) {
    if (responses[index]?.operation === "error") return failure(view, request, responses)
  }
  const results = new Array<Op.WriteResult<Op.Write>>(request.length)
  for (let index = 0; index < request.length; index++) {
    const op = request[index]
    const response = responses[index]
    // Each result has a type of its own: a server answers the create of a container like that of any other znode.
    if (response !== undefined && isCreate(op) && isCreated(response)) {
      const { path } = response.response
      view.versions?.created(path)
      results[index] = toClient(view, path)
    } else if (op?.operation === "setData" && response?.operation === "setData") {
      view.versions?.rememberData(op.request.path, response.response.stat.version)
      results[index] = response.response.stat
    } else if (op?.operation === "check" && response?.operation === "check") {
      results[index] = undefined
    } else if (op?.operation === "delete" && response?.operation === "delete") {
      view.versions?.forget(op.request.path)
      results[index] = undefined
    } else {
      return mismatch(`the result of operation ${index} is that of ${response?.operation ?? "no operation"}`)
    }
  }
  return Effect.succeed(results)
}

type Created = Extract<MultiResult, { readonly response: { readonly path: string } }>

const isCreated = (result: MultiResult): result is Created => isCreate(result)

const isCreate = (op: { readonly operation: string } | undefined): boolean => {
  const operation = op?.operation
  return (
    operation === "create" || operation === "create2" || operation === "createContainer" || operation === "createTTL"
  )
}

const mismatch = (why: string): Effect.Effect<never, ProtocolError> =>
  invalidReply({ operation: "multi", path: "" }, why, true)

/** The code of operations that were not run; those before the one that failed have 0. */
const notRun = ErrorCode.codes.RuntimeInconsistency

const failure = (
  view: View,
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
      const op = request[index]
      const path = op === undefined ? "" : toClient(view, op.request.path)
      const error = toError(code, { operation: op?.operation ?? "multi", path })
      failed ??= { index, error }
      results.push(error)
    }
  }
  return failed === undefined
    ? mismatch("the transaction failed, but none of its operations did")
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
