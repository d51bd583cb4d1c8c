import { FrameLengthError } from "@effect-zookeeper/protocol/Frame"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { STALL } from "../time/TimerQueue.ts"
import { withLogAnnotations } from "../logAnnotations.ts"
import type { OldestUnanswered } from "../requests/RequestPipeline.ts"
import type { FramedConnection } from "./FramedConnection.ts"
import { findWritableServer } from "../reconnect/findWritableServer.ts"
import type { SessionMachine } from "../SessionMachine.ts"

/** How long an orderly departure waits for the replies that are on their way, in milliseconds. */
const DRAIN = 1000

/** Ends the stay on a connection; a reason that throws is a defect. */
type Leave = (reason: () => string) => void

/**
 * Keeps a session on its connection until nothing more can be read from it; says why. `leave` is for whatever else ends it:
 * what cannot be written, a server that is silent, an orderly departure. They are called back and take no fibers.
 */
export const serveConnection = (
  machine: SessionMachine,
  connection: FramedConnection,
  readOnly: boolean,
  leave: Leave
): Effect.Effect<string> =>
  Effect.suspend(() => {
    connection.startWriting({
      onWrite: (now) => machine.pipeline.markHandedOver(now),
      onWritten: () => machine.pipeline.pump(),
      onWriteFailed: (cause) => leave(() => messageOf(cause))
    })
    keepAlive(machine, connection, leave)
    machine.leaveConnection = leave
    machine.whenLeaving(() => leaveInGoodOrder(machine, leave))
    const reading = readLoop(machine, connection)
    return readOnly ? Effect.raceFirst(reading, leaveForWritable(machine)) : reading
  })

const readLoop = (machine: SessionMachine, connection: FramedConnection): Effect.Effect<string> => {
  const batch = connection.read(
    (bytes, start, end) => machine.handleFrame(connection, bytes, start, end),
    (now) => machine.heard(now)
  )
  return Effect.catch(Effect.forever(batch, { disableYield: true }), (error) => {
    // A negative length tells of a broken stream, not of a large reply.
    if (error instanceof FrameLengthError && error.length > 0) machine.pipeline.refuseReply(error)
    return Effect.succeed(error.message)
  })
}

const messageOf = (cause: Cause.Cause<TransportError>): string => {
  const error = Cause.squash(cause)
  if (error instanceof TransportError) return error.message
  throw error
}

/**
 * Pings when nothing was written for a third of the timeout, and gives the connection up when nothing came for two
 * thirds: the rest of the session's time is there to find another server. So it does after two timeouts with a server that
 * answers pings and leaves the oldest request without an answer. A time in which this process stood still, and
 * neither asked nor read, is not the server's silence: it has a sixth of the timeout from then on to answer.
 *
 * While anybody owns something by the session, a transaction that changes nothing takes the place of the ping, four times
 * in each timeout: its answer proves that a quorum holds the session.
 */
const keepAlive = (machine: SessionMachine, connection: FramedConnection, leave: Leave): void => {
  const { liveness } = machine
  let pingedAt = Number.NEGATIVE_INFINITY
  let dueAt = Number.POSITIVE_INFINITY
  let excusedUntil = Number.NEGATIVE_INFINITY
  const checkHeartbeat = (now: number): void => {
    if (now >= liveness.proofDue) {
      // A proof is a sign of life as well.
      pingedAt = now
      machine.sendProof()
    }
    const silentAfter = (liveness.timeout * 2) / 3
    const pingAfter = liveness.timeout / 3
    const silent = now - connection.heardAt
    if (now - dueAt >= STALL) {
      excusedUntil = now + liveness.timeout / 6
      pingedAt = now
      connection.ping()
    }
    if (silent >= silentAfter && now >= excusedUntil)
      return leave(() => `${format(connection.server)}: silent for ${Math.round(silent)} ms`)
    // Any byte is a sign of life, but a server that goes on talking and answers nothing is of no use.
    if (connection.isUnresponsive(now, liveness.timeout * 2)) {
      return leave(
        () => `${format(connection.server)}: nothing was answered for ${Math.round(liveness.timeout * 2)} ms`
      )
    }
    const { oldestUnanswered } = machine
    if (oldestUnanswered !== undefined && now - oldestUnanswered.since >= liveness.timeout) {
      if (now - oldestUnanswered.since >= liveness.timeout * 2 && connection.hasPongedSince(oldestUnanswered.since)) {
        const message = unansweredMessage(connection, oldestUnanswered, now)
        Effect.runForkWith(machine.context)(withLogAnnotations(machine, connection.server, Effect.logWarning(message)))
        return leave(() => message)
      }
      // Also where much is written: only the answer to a ping tells that the server has read what it does not answer.
      if (!connection.hasPingedSince(oldestUnanswered.since)) {
        pingedAt = now
        connection.ping()
      }
    }
    const idle = now - Math.max(connection.wroteAt, pingedAt)
    let nextPing = pingAfter - idle
    if (nextPing <= 0) {
      pingedAt = now
      nextPing = pingAfter
      connection.ping()
    }
    machine.report()
    const judgeAt = Math.max(now + silentAfter - silent, excusedUntil)
    dueAt = now + Math.max(1, Math.min(judgeAt - now, nextPing, liveness.proofDue - now))
    machine.heartbeat.set(dueAt, checkHeartbeat)
  }
  machine.checkHeartbeat = () => checkHeartbeat(liveness.now())
  machine.checkHeartbeat()
}

const unansweredMessage = (connection: FramedConnection, { operation, since }: OldestUnanswered, now: number): string =>
  `${format(connection.server)}: pings are answered, but the oldest request (${operation}) has not been for ${Math.round(now - since)} ms, twice the session timeout; another server is tried`

/** Leaves in good order: what is in flight may still be answered. */
const leaveInGoodOrder = (machine: SessionMachine, leave: Leave): void => {
  const drained = () => leave(() => "the session moves to another server")
  machine.connectionTimer.set(machine.liveness.now() + DRAIN, drained)
  machine.pipeline.drain(drained)
}

/** Looks for a server with a quorum, and leaves for it. */
const leaveForWritable = (machine: SessionMachine): Effect.Effect<never> =>
  Effect.andThen(
    findWritableServer(machine),
    Effect.suspend(() => {
      machine.leaveInGoodOrder()
      return Effect.never
    })
  )
