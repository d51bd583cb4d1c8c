/**
 * Answers requests, with one handler for each row of the operation table.
 *
 * @since 0.1.0
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Result from "effect/Result"
import { authenticate } from "./auth.ts"
import { type Answer, type Context, type Handler, onBytes } from "./Handler.ts"
import { multi, multiRead } from "./multi.ts"
import * as Read from "./read.ts"
import * as Watch from "./watch.ts"
import * as Write from "./write.ts"
import {
  type Client,
  makeOutcome,
  type Timestamps,
  type Outcome,
  type Reply,
  type ServerState
} from "../state/ServerState.ts"
import type { Session } from "../state/Sessions.ts"

/**
 * Answers one request; the reader is at the start of its frame. A frame that is not a request at all ends the connection.
 *
 * @category requests
 * @since 0.1.0
 */
export const apply = (state: ServerState, client: Client, frame: JuteReader, time: Timestamps): Outcome => {
  const outcome = makeOutcome()
  const header = Jute.attempt(requestHeader, frame)
  const { session } = client
  if (Result.isFailure(header) || session === undefined || hasEnded(state, client, session)) {
    outcome.toDisconnect.add(client)
    return outcome
  }
  const { type, xid } = header.success
  const context: Context = { state, client, session, replica: client.replica, time, outcome }
  state.touch(session, client.replica, time.monotonic)

  if (type === Operations.auth.opCode || type === Operations.sasl.opCode) {
    const answer = authenticate(context, type, frame)
    if (answer === undefined) outcome.toDisconnect.add(client)
    else outcome.reply = { xid, zxid: 0n, ...answer }
    return outcome
  }
  const handler = handlers.get(type)
  if (handler === undefined) {
    outcome.toDisconnect.add(client)
    outcome.reply = refusal(xid, -1n, codes.Unimplemented)
    return outcome
  }
  if (handler.isWrite) {
    if (client.replica.readOnly) {
      outcome.reply = refusal(xid, client.replica.zxid, codes.NotReadOnly)
      return outcome
    }
    // The session has moved to another server, which this one notices at a write, unless it has lost the others.
    if (session.client !== client && client.replica.membership !== "alone") {
      outcome.toDisconnect.add(client)
      return outcome
    }
  }
  const answer = handler.run(context, frame)
  outcome.reply = {
    xid: type === Operations.ping.opCode ? Operations.Xid.ping : xid,
    zxid: client.replica.zxid,
    ...answer
  }
  if (type === Operations.closeSession.opCode) outcome.toDisconnect.add(client)
  return outcome
}

/**
 * Answers a request with an error, without reading it.
 *
 * @category requests
 * @since 0.1.0
 */
export const refuse = (client: Client, xid: number, err: number): Outcome => ({
  ...makeOutcome(),
  reply: refusal(xid, client.replica.zxid, err)
})

/**
 * Whether a server needs the others to answer such a request.
 *
 * @category requests
 * @since 0.1.0
 */
export const needsQuorum = (opCode: number): boolean =>
  handlers.get(opCode)?.isWrite === true || opCode === Operations.closeSession.opCode

// ---- internal

/** Whether the session has ended, as far as this server knows: one that has lost the others does not hear of it. */
const hasEnded = (state: ServerState, { replica }: Client, session: Session<Client>): boolean =>
  replica.membership !== "alone" && state.sessions.get(session.id) !== session

const requestHeader = Jute.codec(Records.RequestHeader)

const refusal = (xid: number, zxid: bigint, err: number): Reply => ({
  xid,
  zxid,
  err,
  row: undefined,
  response: undefined
})

const ping = onBytes(Operations.ping, (): Answer => ({ err: 0, row: Operations.ping, response: undefined }))

/** A check outside of a transaction has no handler: 3.8.0 never answers one, and releases since 3.8.5 refuse it. */
const handlers: ReadonlyMap<number, Handler> = new Map(
  [ping, ...Read.handlers, ...Write.handlers, ...Watch.handlers, multi, multiRead].map((handler) => [
    handler.opCode,
    handler
  ])
)
