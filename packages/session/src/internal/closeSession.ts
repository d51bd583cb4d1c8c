import * as Effect from "effect/Effect"
import type { SessionMachine } from "./SessionMachine.ts"

/**
 * Ends the session at the server, within one deadline, once nothing runs any more under what it owns. If something still
 * does at the deadline, the session is left to lapse by itself.
 */
export const closeSession = (machine: SessionMachine): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { closeCoordinator } = machine
    const leave = Effect.sync(() => leaveSession(machine))
    if (machine.isFinal) return leave
    // Other clients may own the same things as soon as the server has closed the session: our own owners are told before.
    beginClosing(machine)
    if (!machine.hasLiveSession) return leave
    const endSession = Effect.suspend(() =>
      closeCoordinator.isHeld ? leaveToLapse(machine) : machine.closeRequest.send
    )
    return closeCoordinator.settled.pipe(Effect.andThen(endSession), Effect.andThen(leave))
  })

/** Ends the session here, whatever becomes of it at the servers. */
export const leaveSession = (machine: SessionMachine): void => {
  machine.close()
  machine.closeCoordinator.end()
  machine.report()
}

/** The owner is about to close the session. Ownership ends, and everything that is guarded by it is told. */
const beginClosing = (machine: SessionMachine): void => {
  const { closeCoordinator, liveness } = machine
  const now = liveness.now()
  closeCoordinator.begin(now)
  liveness.end()
  closeCoordinator.notify()
  leaveIfSilent(machine, now, now + (closeCoordinator.deadline! - now) / 2)
}

/** A server that says nothing for half of the time may be gone without a word, and another one may be there. */
const leaveIfSilent = (machine: SessionMachine, since: number, at: number): void => {
  machine.connectOrCloseTimer.set(at, () => {
    const { closeCoordinator, connection, pipeline } = machine
    if (connection === undefined || connection.framed.heardAt > since || pipeline.inFlightCount === 0) return
    // If it is only slow, it has the close request by then.
    if (closeCoordinator.stopWaiting()) leaveIfSilent(machine, since, at + (closeCoordinator.deadline! - at) / 2)
    else {
      // Requests that still wait fail with the end of the session: there is no other connection for them.
      if (pipeline.refusal !== undefined) pipeline.failAll(machine.closedWith, { final: true })
      connection.leaveNow(() => "silent while the session is being closed")
    }
  })
}

/** Other clients get what the session owns when the servers have given it up. */
const leaveToLapse = ({ connection, liveness, log, settings }: SessionMachine): Effect.Effect<void> =>
  log.annotate(
    connection?.server,
    Effect.logWarning(
      `the session is left to lapse instead of being closed: after closeTimeout (${settings.closeTimeout} ms) something still ran under a lock; others get it within ${Math.round(liveness.timeout)} ms. Let what a lock guards end when it is interrupted or its signal is aborted, or raise closeTimeout`
    )
  )
