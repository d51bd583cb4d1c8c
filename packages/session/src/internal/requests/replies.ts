/**
 * How a reply is read: its header, and what its caller gets for it.
 */
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as Exit from "effect/Exit"
import { ServerRefused } from "../../SessionError.ts"
import type { PendingRequest } from "./PendingRequest.ts"
import { ProtocolViolation } from "./ProtocolViolation.ts"

/** Bytes. */
const REPLY_HEADER = 16

/** The header of every reply. */
export interface ReplyHeader {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
}

/** Reads the header of a reply; the body is next in the reader then. Throws `ProtocolViolation`. */
export const readReplyHeader = (reader: JuteReader): ReplyHeader => {
  if (reader.remaining < REPLY_HEADER)
    throw new ProtocolViolation(`a reply of ${reader.remaining} bytes, too short for its header`)
  return { xid: reader.int(), zxid: reader.long(), err: reader.int() }
}

/** The outcome of a reply: the response, the typed error of the operation's row, or `ServerRefused`. */
export const replyExit = (
  request: { readonly operation: PendingRequest["operation"]; readonly path: string },
  code: number,
  response: unknown
): Exit.Exit<unknown, ServerError.ServerError | ServerRefused> =>
  code === 0 ? Exit.succeed(response) : Exit.fail(replyError(request.operation, request.path, code))

/** The same outcome, with what the caller wants to have instead of the response. */
export const transformedExit = (
  request: PendingRequest,
  code: number,
  response: unknown
): Exit.Exit<unknown, unknown> => {
  const { transform } = request
  if (transform === undefined || code !== 0) return replyExit(request, code, response)
  try {
    // The response was read by the operation that `transform` was given for.
    return Exit.succeed(transform(response as never))
  } catch (defect) {
    return Exit.die(defect)
  }
}

const replyError = (operation: PendingRequest["operation"], path: string, code: number) =>
  ServerError.fromCode(code, operation.errors, { operation: operation.name, path }) ??
  new ServerRefused({
    operation: operation.name,
    path,
    code,
    name: ErrorCode.nameOf(code),
    ...(operation.kind === "write" && !ErrorCode.isRefusal(code) ? { maybeApplied: true } : {})
  })
