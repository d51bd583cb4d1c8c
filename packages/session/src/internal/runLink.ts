import { FrameLengthError } from "@effect-zookeeper/protocol/Frame"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { STALL } from "./Alarm.ts"
import { annotated } from "./annotated.ts"
import type { Awaited } from "./Exchange.ts"
import type { Link } from "./Link.ts"
import { seekWritable } from "./seekWritable.ts"
import type { SessionCore } from "./SessionCore.ts"

/** How long an orderly departure waits for the replies that are on their way, in milliseconds. */
const DRAIN = 1000

/** Ends the stay on a connection; a reason that throws is a defect. */
type Leave = (reason: () => string) => void

/**
 * Keeps a session on its connection until nothing more can be read from it; says why. `leave` is for whatever else ends it:
 * what cannot be written, a server that is silent, an orderly departure. They are called back and take no fibers.
 */
export const runLink = (core: SessionCore, link: Link, readOnly: boolean, leave: Leave): Effect.Effect<string> =>
  Effect.suspend(() => {
    link.startWriting({
      onTake: (now) => core.exchange.handOver(now),
      onTaken: () => core.exchange.pump(),
      onEnd: (cause) => leave(() => messageOf(cause))
    })
    keepAlive(core, link, leave)
    core.leaveLink = leave
    core.whenDeparting(() => depart(core, leave))
    const reading = readLoop(core, link)
    return readOnly ? Effect.raceFirst(reading, seek(core)) : reading
  })

const readLoop = (core: SessionCore, link: Link): Effect.Effect<string> => {
  const batch = link.read(
    (bytes, start, end) => core.frame(link, bytes, start, end),
    (now) => core.heard(now)
  )
  return Effect.catch(Effect.forever(batch, { disableYield: true }), (error) => {
    // A negative length tells of a broken stream, not of a large reply.
    if (error instanceof FrameLengthError && error.length > 0) core.exchange.refuseReply(error)
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
const keepAlive = (core: SessionCore, link: Link, leave: Leave): void => {
  const { liveness } = core
  let pingedAt = Number.NEGATIVE_INFINITY
  let dueAt = Number.POSITIVE_INFINITY
  let excusedUntil = Number.NEGATIVE_INFINITY
  const beat = (now: number): void => {
    if (now >= liveness.proofDue) {
      // A proof is a sign of life as well.
      pingedAt = now
      core.prove()
    }
    const silentAfter = (liveness.timeout * 2) / 3
    const pingAfter = liveness.timeout / 3
    const silent = now - link.heardAt
    if (now - dueAt >= STALL) {
      excusedUntil = now + liveness.timeout / 6
      pingedAt = now
      link.ping()
    }
    if (silent >= silentAfter && now >= excusedUntil)
      return leave(() => `${format(link.server)}: silent for ${Math.round(silent)} ms`)
    // Any byte is a sign of life, but a server that goes on talking and answers nothing is of no use.
    if (link.isCrawling(now, liveness.timeout * 2)) {
      return leave(() => `${format(link.server)}: nothing was answered for ${Math.round(liveness.timeout * 2)} ms`)
    }
    const { awaited } = core
    if (awaited !== undefined && now - awaited.since >= liveness.timeout) {
      if (now - awaited.since >= liveness.timeout * 2 && link.hasPongedSince(awaited.since)) {
        const message = neglect(link, awaited, now)
        Effect.runForkWith(core.context)(annotated(core, link.server, Effect.logWarning(message)))
        return leave(() => message)
      }
      // Also where much is written: only the answer to a ping tells that the server has read what it does not answer.
      if (!link.hasPingedSince(awaited.since)) {
        pingedAt = now
        link.ping()
      }
    }
    const idle = now - Math.max(link.wroteAt, pingedAt)
    let nextPing = pingAfter - idle
    if (nextPing <= 0) {
      pingedAt = now
      nextPing = pingAfter
      link.ping()
    }
    core.report()
    const judgeAt = Math.max(now + silentAfter - silent, excusedUntil)
    dueAt = now + Math.max(1, Math.min(judgeAt - now, nextPing, liveness.proofDue - now))
    core.heartbeat.set(dueAt, beat)
  }
  core.beat = () => beat(liveness.now())
  core.beat()
}

const neglect = (link: Link, { operation, since }: Awaited, now: number): string =>
  `${format(link.server)}: pings are answered, but the oldest request (${operation}) has not been for ${Math.round(now - since)} ms, twice the session timeout; another server is tried`

/** Leaves in good order: what is in flight may still be answered. */
const depart = (core: SessionCore, leave: Leave): void => {
  const drained = () => leave(() => "the session moves to another server")
  core.limit.set(core.liveness.now() + DRAIN, drained)
  core.exchange.drain(drained)
}

/** Looks for a server with a quorum, and leaves for it. */
const seek = (core: SessionCore): Effect.Effect<never> =>
  Effect.andThen(
    seekWritable(core),
    Effect.suspend(() => {
      core.depart()
      return Effect.never
    })
  )
