/**
 * The methods that read.
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { MultiOp } from "@effect-zookeeper/protocol/Operations"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import type { ProtocolError, SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Stat } from "../../Models.ts"
import type * as Op from "../../Op.ts"
import type { Service } from "../../Service.ts"
import { invalidReply } from "../replyErrors.ts"
import { invalid, notAnOperation, notAnArray } from "../validate.ts"
import { toDataAndStat } from "../data.ts"
import { send, sendAndTransform, toClient, withPath } from "../View.ts"
import type { View } from "../View.ts"

type Rows =
  | "exists"
  | "stat"
  | "get"
  | "getData"
  | "getChildren"
  | "getChildrenWithStat"
  | "getAcl"
  | "countDescendants"
  | "getEphemerals"
  | "read"
  | "sync"

const toNames = (response: { readonly children: ReadonlyArray<string> }): ReadonlyArray<string> => response.children

/** Reads data. A view that tracks versions remembers its version. */
export const readNode = (view: View, server: string, path: string) => {
  const request = { path: server, watch: false }
  const { versions } = view
  if (versions === undefined) return sendAndTransform(view, Operations.getData, request, path, toDataAndStat)
  const reply = send(view, Operations.getData, request, path)
  return Effect.map(
    Effect.tapErrorTag(reply, "NoNode", () => Effect.sync(() => versions.forget(server))),
    (response) => {
      versions.rememberData(server, response.stat.version)
      return toDataAndStat(response)
    }
  )
}

/**
 * The names of the children. The request asks for the Stat too, which is not needed: since ZooKeeper 3.6 servers cache the
 * bytes of answers to `getChildren2`, but encode those to `getChildren` anew, which takes 2 milliseconds for 10,000 names.
 */
export const readNames = (view: View, server: string, path: string) =>
  sendAndTransform(view, Operations.getChildren2, { path: server, watch: false }, path, toNames)

/** The Stat, or undefined if there is no such znode. */
export const readStat = (view: View, server: string, path: string) =>
  send(view, Operations.exists, { path: server, watch: false }, path).pipe(
    Effect.map(({ stat }): Stat | undefined => stat),
    Effect.catchTag("NoNode", () => Effect.undefined)
  )

export const makeRead = (view: View): Pick<Service, Rows> => {
  const get: Service["get"] = (path) => withPath(view, path, (server) => readNode(view, server, path))

  const getChildren: Service["getChildren"] = (path) => withPath(view, path, (server) => readNames(view, server, path))

  return {
    get,
    getChildren,
    getData: (path) => Effect.map(get(path), ({ data }) => data),
    exists: (path) =>
      withPath(view, path, (server) => Effect.map(readStat(view, server, path), (stat) => stat !== undefined)),
    stat: (path) => withPath(view, path, (server) => Effect.map(readStat(view, server, path), Option.fromUndefinedOr)),
    getChildrenWithStat: (path) =>
      withPath(view, path, (server) => send(view, Operations.getChildren2, { path: server, watch: false }, path)),
    getAcl: (path) =>
      withPath(view, path, (server) => {
        const reply = send(view, Operations.getACL, { path: server }, path)
        const { versions } = view
        return versions === undefined
          ? reply
          : Effect.tap(reply, ({ stat }) => Effect.sync(() => versions.rememberAcl(server, stat.aversion)))
      }),
    countDescendants: (path) =>
      withPath(view, path, (server) =>
        Effect.map(
          send(view, Operations.getAllChildrenNumber, { path: server }, path),
          ({ totalNumber }) => totalNumber
        )
      ),
    getEphemerals: (prefix) => getEphemerals(view, prefix ?? "/"),
    read: (ops) => read(view, ops),
    sync: (at) => {
      const path = at ?? "/"
      return withPath(view, path, (server) =>
        sendAndTransform(view, Operations.sync, { path: server }, path, constVoid)
      )
    }
  }
}

const getEphemerals = (
  view: View,
  prefix: string
): Effect.Effect<ReadonlyArray<string>, InvalidArgument | SessionError> => {
  if (typeof prefix !== "string" || (prefix !== "" && !prefix.startsWith("/"))) {
    return Effect.fail(invalid("prefix", prefix, 'a prefix must be empty or a text that starts with "/"'))
  }
  // "/" means any path, the chroot itself included. Servers compare prefixes as texts, and not name by name.
  const all = prefix === "" || prefix === "/"
  const prefixPath = all ? (view.chroot === "" ? "/" : view.chroot) : view.chroot + prefix
  return Effect.map(send(view, Operations.getEphemerals, { prefixPath }, prefix), ({ ephemerals }) => {
    const paths: Array<string> = []
    for (const server of ephemerals) {
      const path = ZnodePath.toClient(view.chroot, server)
      if (path !== undefined && (all || path.startsWith(prefix))) paths.push(path)
    }
    return paths
  })
}

// -----------------------------------------------------------------------------
// many reads in one request
// -----------------------------------------------------------------------------

const read = <const Ops extends ReadonlyArray<Op.Read>>(
  view: View,
  ops: Ops
): Effect.Effect<Op.ReadResults<Ops>, InvalidArgument | SessionError> => {
  if (!Array.isArray(ops)) return Effect.fail(notAnArray("Op.get(path)"))
  // The answer is read by this array: the caller may have emptied its own by then.
  const request = new Array<ReadRequest>(ops.length)
  for (let index = 0; index < ops.length; index++) {
    const op: Op.Read | undefined = ops[index]
    const operation = op?._tag === "Get" ? "getData" : op?._tag === "GetChildren" ? "getChildren" : undefined
    if (op === undefined || operation === undefined) {
      return Effect.fail(notAnOperation(index, "read", ["Op.get", "Op.getChildren"]))
    }
    const rule = ZnodePath.check(op.path)
    if (rule !== undefined) return Effect.fail(invalid(`ops[${index}].path`, op.path, rule))
    request[index] = { operation, request: { path: ZnodePath.toServer(view.chroot, op.path), watch: false } }
  }
  const results: Effect.Effect<ReadonlyArray<Op.ReadResult<Op.Read>>, SessionError> = request.length === 0
    ? Effect.succeed([])
    : view.session.info.serverFeatures.supports("multiRead")
      ? Effect.catchIf(
          readTogether(view, request),
          (error) => error._tag === "ServerRefused" && error.code === ErrorCode.codes.Unimplemented,
          () => readOneByOne(view, request)
        )
      : readOneByOne(view, request)
  // The results are in the order of the operations, and each has the type of its operation.
  return results as Effect.Effect<Op.ReadResults<Ops>, SessionError>
}

type ReadRequest = MultiOp<keyof typeof Operations.reads>

const readOneByOne = (view: View, request: ReadonlyArray<ReadRequest>) =>
  Effect.forEach(
    request,
    ({ operation, request: { path: server } }): Effect.Effect<Op.ReadResult<Op.Read>, SessionError> => {
      const path = toClient(view, server)
      return operation === "getData" ? asResult(readNode(view, server, path)) : asResult(readNames(view, server, path))
    },
    { concurrency: "unbounded" }
  )

const asResult = <A>(
  effect: Effect.Effect<A, ServerError.NoNode | ServerError.NoAuth | SessionError>
): Effect.Effect<Result.Result<A, ServerError.NoNode | ServerError.NoAuth>, SessionError> =>
  effect.pipe(
    Effect.map((value): Result.Result<A, ServerError.NoNode | ServerError.NoAuth> => Result.succeed(value)),
    Effect.catchTag(["NoNode", "NoAuth"], (error) => Effect.succeed(Result.fail(error)))
  )

const readTogether = (view: View, request: ReadonlyArray<ReadRequest>) =>
  Effect.flatMap(
    send(view, Operations.multiRead, request, ""),
    (responses): Effect.Effect<ReadonlyArray<Op.ReadResult<Op.Read>>, ServerRefused | ProtocolError> => {
      const results: Array<Op.ReadResult<Op.Read>> = []
      for (let index = 0; index < request.length; index++) {
        const op = request[index]
        const response = responses[index]
        if (op === undefined) break
        const subject = { operation: op.operation, path: toClient(view, op.request.path) }
        if (response?.operation === "error") {
          const error = ServerError.fromCode(response.error, ["NoNode", "NoAuth"], subject)
          if (error === undefined) {
            const name = ErrorCode.nameOf(response.error)
            return Effect.fail(new ServerRefused({ ...subject, code: response.error, name }))
          }
          results.push(Result.fail(error))
        } else if (op.operation === "getData" && response?.operation === "getData") {
          view.versions?.rememberData(op.request.path, response.response.stat.version)
          results.push(Result.succeed(toDataAndStat(response.response)))
        } else if (op.operation === "getChildren" && response?.operation === "getChildren") {
          results.push(Result.succeed(response.response.children))
        } else {
          return invalidReply(subject, `the result is that of ${response?.operation ?? "no operation"}`)
        }
      }
      return Effect.succeed(results)
    }
  )
