/**
 * The keeper: a process that starts the command of `zk lock`, and that ends the command's process group when the hold
 * ends, also where `zk` itself is stopped or dead. It knows nothing of ZooKeeper. `zk` tells it, again and again, until
 * when the hold is certain.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ChildProcess from "node:child_process"
import { reasonOf, startExitCode } from "../frame/reasons.ts"
import type { Order, Report } from "./messages.ts"
import { type Processes, processesOf } from "./processes.ts"

/** The process group of the command, once it has begun, and what has left it. */
let processes: Processes | undefined
/** When the hold ends: readings of the monotonic clock, which all processes share, and of the wall clock, in milliseconds. */
let ends = { monotonic: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY }
/** How long the group has from SIGTERM to SIGKILL, in milliseconds. */
let grace = 0
let hasTerminated = false
/** How the first process of the group ended, and when. */
let ended: (Omit<Extract<Report, { readonly _tag: "Ended" }>, "_tag"> & { readonly at: number }) | undefined
/** When the last look was. */
let lookedAt = Number.POSITIVE_INFINITY

const clock = Effect.runSync(Effect.map(Clock.Clock, (clock) => clock))
const wall = (): number => clock.currentTimeMillisUnsafe()
const monotonic = (): number => Number(process.hrtime.bigint() / 1_000_000n)

const end = (): void => {
  ends = { monotonic: Math.min(ends.monotonic, monotonic()), wall: Math.min(ends.wall, wall()) }
  look()
}

/** Ends the group where it is time, and this process where the group has ended. */
const look = (): void => {
  if (processes === undefined) return
  // The wall clock goes on while the machine sleeps.
  const late = Math.max(monotonic() - ends.monotonic, wall() - ends.wall)
  if (late >= grace) processes.signal("SIGKILL")
  else if (late >= 0 && !hasTerminated) {
    hasTerminated = true
    processes.signal("SIGTERM")
    // A stopped process gets no other signal.
    processes.signal("SIGCONT")
  }
  if (ended === undefined) return
  // The rest of the group ends too. A zombie that has no parent to collect it cannot hold up the end.
  if (processes.isAlive() && monotonic() < ended.at + grace + 1000) {
    if (late < 0) end()
    return
  }
  const { code, isOverdue, signal } = ended
  finish({ _tag: "Ended", code, signal, isOverdue })
}

const finish = (report: Report): void => {
  if (process.connected) process.send?.(report, () => process.exit(0))
  else process.exit(0)
}

const start = (order: Extract<Order, { readonly _tag: "Start" }>): void => {
  const [command = "", ...args] = order.command
  grace = order.grace
  // `detached` makes it the leader of a process group of its own.
  const child = ChildProcess.spawn(command, args, {
    stdio: ["inherit", "inherit", "inherit"],
    detached: true,
    env: { ...process.env, ...order.env }
  })
  // At once, so that there is no moment in which the group runs and is not known.
  const group = child.pid
  if (group !== undefined) {
    processes = processesOf(group)
    process.send?.({ _tag: "Started", group } satisfies Report)
  }
  child.once("error", (error) => {
    if (group === undefined)
      finish({ _tag: "Failed", message: `${command}: ${reasonOf(error, "program")}`, code: startExitCode(error) })
  })
  child.once("exit", (code, signal) => {
    ended = { code, signal, isOverdue: hasTerminated, at: monotonic() }
    look()
  })
}

process.on("message", (order: Order) => {
  switch (order._tag) {
    case "Start":
      ends = order.ends
      return start(order)
    case "Hold":
      // An order to end is not taken back. It is judged by the next look: a later message may wait behind this one.
      if (!hasTerminated) ends = order.ends
      return
    case "End":
      return processes === undefined ? process.exit(0) : end()
  }
})

// `zk` is dead, and its session ends with nothing to renew it.
process.on("disconnect", () => (processes === undefined ? process.exit(0) : end()))

// A signal for all processes of a terminal or a service is for `zk` to pass on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => {})

/**
 * Timers come before messages in a turn of the event loop. After a time in which this process was stopped, the messages that
 * have come meanwhile are read first.
 */
const lookInTime = Effect.suspend(() => {
  const isLate = monotonic() - lookedAt > interval + 50
  lookedAt = monotonic()
  return isLate ? Effect.andThen(Effect.yieldNow, Effect.sync(look)) : Effect.sync(look)
})

/** The milliseconds between two looks. */
const interval = 50

Effect.runFork(Effect.repeat(lookInTime, Schedule.spaced(interval)))
process.send?.({ _tag: "Ready" } satisfies Report)
