import { FrameLengthError } from "@effect-zookeeper/protocol/Frame"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { Link } from "./Link.ts"
import { seekWritable } from "./seekWritable.ts"
import type { SessionCore } from "./SessionCore.ts"

/** How long an orderly departure waits for the replies that are on their way, in milliseconds. */
const DRAIN = 1000

/** Keeps a session on its connection until that is lost; says why it was. */
export const runLink = (core: SessionCore, link: Link, readOnly: boolean): Effect.Effect<string> => {
  const racers = [
    readLoop(core, link),
    writeLoop(core, link),
    heartbeat(core, link),
    departure(
      core,
      readOnly ? Effect.raceFirst(core.departure.await, Effect.asVoid(seekWritable(core))) : core.departure.await
    )
  ]
  return Effect.flip(Effect.raceAllFirst(racers))
}

const readLoop = (core: SessionCore, link: Link): Effect.Effect<never, string> =>
  Effect.forever(
    link.read(
      (bytes, start, end) => core.frame(link, bytes, start, end),
      (now) => core.heard(link, now)
    ),
    { disableYield: true }
  ).pipe(
    Effect.mapError((error) => {
      // A negative length tells of a broken stream, not of a large reply.
      if (error instanceof FrameLengthError && error.length > 0) core.exchange.refuseReply(error)
      return error.message
    })
  )

const writeLoop = (core: SessionCore, link: Link): Effect.Effect<never, string> =>
  Effect.mapError(
    link.writeLoop(
      () => core.exchange.handOver(),
      () => core.exchange.pump()
    ),
    (error) => error.message
  )

/**
 * Pings when nothing was written for a third of the timeout, and gives the connection up when nothing came for two
 * thirds: the rest of the session's time is there to find another server.
 */
const heartbeat = (core: SessionCore, link: Link): Effect.Effect<never, string> => {
  const { liveness } = core
  let pingedAt = Number.NEGATIVE_INFINITY
  const beat = Effect.suspend(() => {
    const now = liveness.now()
    const silentAfter = (liveness.timeout * 2) / 3
    const pingAfter = liveness.timeout / 3
    const silent = now - link.heardAt
    if (silent >= silentAfter) {
      return Effect.fail(`${format(link.server)}: silent for ${Math.round(silent)} ms`)
    }
    // Any byte is a sign of life, but a server that goes on talking and answers nothing is of no use.
    if (link.isCrawling(now, liveness.timeout * 2)) {
      return Effect.fail(`${format(link.server)}: nothing was answered for ${Math.round(liveness.timeout * 2)} ms`)
    }
    const idle = now - Math.max(link.wroteAt, pingedAt)
    let nextPing = pingAfter - idle
    if (nextPing <= 0) {
      pingedAt = now
      nextPing = pingAfter
      link.ping()
    }
    return Effect.andThen(core.report, Effect.sleep(Math.max(1, Math.min(silentAfter - silent, nextPing))))
  })
  return Effect.forever(beat, { disableYield: true })
}

/** Leaves in good order when it is time to: what is in flight may still be answered. */
const departure = (core: SessionCore, due: Effect.Effect<void>): Effect.Effect<never, string> => {
  const drained = Effect.callback<void>((resume) => core.exchange.drain(() => resume(Effect.void)))
  return due.pipe(
    Effect.andThen(Effect.timeoutOption(drained, DRAIN)),
    Effect.andThen(Effect.fail("the session moves to another server"))
  )
}
