/**
 * The handshake of a connection, which begins a session or resumes one.
 *
 * @since 0.1.0
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { ConnectReply, ConnectRequest } from "@effect-zookeeper/protocol/Handshake"
import { type Client, makeOutcome, type Timestamps, type Outcome, type ServerState } from "../state/ServerState.ts"
import { passwordOf, type Session } from "../state/Sessions.ts"

/**
 * The reply to a handshake, undefined for none. The connection ends unless there is a session now.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandshakeResult {
  readonly answer: ConnectReply | undefined
  readonly outcome: Outcome
}

/**
 * Answers the first frame of a connection.
 *
 * @category handshakes
 * @since 0.1.0
 */
export const connect = (
  state: ServerState,
  client: Client,
  request: ConnectRequest,
  time: Timestamps
): HandshakeResult => {
  const { replica } = client
  const outcome = makeOutcome()
  const refuseSilently = (): HandshakeResult => {
    outcome.toDisconnect.add(client)
    return { answer: undefined, outcome }
  }
  if (replica.isOut) return refuseSilently()
  if (replica.readOnly && request.readOnly !== true) return refuseSilently()
  // A client that has seen more than this server has to use another one.
  if (request.lastZxidSeen > replica.zxid) return refuseSilently()
  const timeout = clamp(request.timeOut, state.settings.minSessionTimeout, state.settings.maxSessionTimeout)

  if (request.sessionId === 0n) {
    if (replica.readOnly && !state.settings.localSessions) {
      // The connection stays open, and the server never sends anything more on it.
      return { answer: { _tag: "Refused", code: codes.NotReadOnly }, outcome }
    }
    const session = state.sessions.open(timeout, time.monotonic, replica.readOnly)
    if (!session.local) state.commit([], replica, time, outcome)
    return { answer: accept(client, session, request), outcome }
  }

  const session = state.sessions.get(request.sessionId)
  // An older connection of the session to this server ends, even if the password is wrong.
  if (session?.client?.replica === replica) dropOldConnection(session, outcome)
  if (replica.readOnly && session?.local === false) return refuseSilently()
  if (session === undefined || !isPassword(request.passwd, session.id)) {
    outcome.toDisconnect.add(client)
    return { answer: answer(request, replica.readOnly, 0, 0n, new Uint8Array(16)), outcome }
  }
  // A former leader that is cut off still knows the session, but cannot tell the others.
  if (!state.isHeard(replica)) {
    client.session = session
    return { answer: resumeReply(client, session, request), outcome }
  }
  // The leader ends an older connection at once; a connection to another server stays until it writes.
  if (session.client?.replica === state.leader) dropOldConnection(session, outcome)
  session.timeout = timeout
  state.sessions.touch(session, time.monotonic)
  return { answer: accept(client, session, request), outcome }
}

// ---- internal

const dropOldConnection = (session: Session<Client>, outcome: Outcome): void => {
  if (session.client !== undefined) outcome.toDisconnect.add(session.client)
  session.client = undefined
}

const accept = (client: Client, session: Session<Client>, request: ConnectRequest): ConnectReply => {
  client.session = session
  session.client = client
  return resumeReply(client, session, request)
}

const resumeReply = ({ replica }: Client, { id, timeout }: Session<Client>, request: ConnectRequest): ConnectReply =>
  answer(request, replica.readOnly, timeout, id, passwordOf(id))

/** Clients before 3.4 send no byte for read-only mode, and get none. */
const answer = (
  request: ConnectRequest,
  readOnly: boolean,
  timeOut: number,
  sessionId: bigint,
  passwd: Uint8Array
): ConnectReply => ({
  _tag: "Answered",
  response: {
    protocolVersion: 0,
    timeOut,
    sessionId,
    passwd,
    readOnly: request.readOnly === undefined ? undefined : readOnly
  }
})

const isPassword = (given: Uint8Array | null, id: bigint): boolean => {
  const expected = passwordOf(id)
  return given !== null && given.length === expected.length && expected.every((byte, at) => given[at] === byte)
}

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max)
