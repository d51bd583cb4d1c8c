/**
 * A handler of requests: a row of the operation table, its decoder, and a function.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as Result from "effect/Result"
import type { Replica } from "../state/Replica.ts"
import type { Client, Timestamps, Outcome, ServerState } from "../state/ServerState.ts"
import type { Session } from "../state/Sessions.ts"

/** Everything that a handler can read and change. */
export interface Context {
  readonly state: ServerState
  readonly client: Client
  readonly session: Session<Client>
  readonly replica: Replica<Client>
  readonly time: Timestamps
  readonly outcome: Outcome
}

/** A reply without its header. */
export interface Answer {
  readonly err: number
  readonly row: Operation.Any
  /** Undefined if there is no body. */
  readonly response: unknown
}

export interface Handler {
  readonly opCode: number
  readonly isWrite: boolean
  readonly run: (context: Context, body: JuteReader) => Answer
}

/** A handler that decodes the request itself. */
export const onBytes = (
  row: Operation.Any,
  run: (context: Context, body: JuteReader) => Answer,
  isWrite = false
): Handler => ({ opCode: row.opCode, isWrite, run })

/** A handler of decoded requests, which returns a response or the code of an error. */
export const on = <Request, Response>(
  row: Operation.Operation<string, Request, Response, ServerError.Name>,
  handle: (context: Context, request: Request) => Response | number,
  isWrite = false
): Handler =>
  onBytes(
    row,
    (context, body) => {
      const request = Jute.attempt(row.request, body)
      if (Result.isFailure(request)) return failed(row, codes.MarshallingError)
      return answered(row, handle(context, request.success))
    },
    isWrite
  )

export const failed = (row: Operation.Any, err: number): Answer => ({ err, row, response: undefined })

export const answered = (row: Operation.Any, response: unknown): Answer =>
  typeof response === "number" ? failed(row, response) : { err: 0, row, response }
