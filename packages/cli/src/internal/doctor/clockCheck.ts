/** The clock of each member beside that of this machine. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Canary from "../../Canary.ts"
import type * as MemberStatus from "../../MemberStatus.ts"
import { canaryOptions, type Options } from "../diagnose/memberHealth.ts"
import type { Finding, Member } from "./examination.ts"

/** A difference in seconds shows in times of znodes and in logs; coordination does not depend on it. */
const tolerated = 1000

/**
 * A server notes by its own clock when a connection was made: `cons` has that of a session, which is made here. Members whose
 * `cons` is not allowed are left out.
 */
export const checkClock = (
  { address, server, status }: Member,
  ask: MemberStatus.Ask,
  options: Options
): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    if (status.state !== "serving") return []
    const before = yield* Clock.currentTimeMillis
    const { zk } = yield* Canary.make(address, { ...canaryOptions(options), writes: false })
    const after = yield* Clock.currentTimeMillis
    const connections = yield* ask(address, "cons")
    const established = connections.find(({ session }) => session === zk.session.id)?.established
    if (established === undefined) return []
    const offset = established < before ? established - before : established > after ? established - after : 0
    if (Math.abs(offset) <= tolerated) return []
    return [
      {
        severity: "warning",
        check: "clock",
        where: server,
        message: `its clock is ${(Math.abs(offset) / 1000).toFixed(1)} s ${offset < 0 ? "behind" : "ahead of"} that of this machine`,
        advice: "synchronize the clocks (NTP): times of znodes, TTLs and logs cannot be compared"
      } satisfies Finding
    ]
  }).pipe(
    Effect.scoped,
    Effect.catch(() => Effect.succeed([]))
  )
