import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Fs from "node:fs"

/**
 * Waits until a process that was sent SIGSTOP stands still: the signal reaches its threads one after the other, and until
 * the last has it the process may answer. Where the system does not tell, or within a second, it is taken for standing.
 */
export const awaitStopped = (pid: number): Effect.Effect<void> =>
  Effect.sync(() => isStopped(pid)).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("2 millis"), times: 500 }),
    Effect.asVoid
  )

const isStopped = (pid: number): boolean => {
  const tasks = `/proc/${pid}/task`
  try {
    return Fs.readdirSync(tasks).every((task) => {
      const stat = Fs.readFileSync(`${tasks}/${task}/stat`, "utf8")
      // "pid (name) state ...", and the name may hold anything.
      return /^\) [TtXZ]/.test(stat.slice(stat.lastIndexOf(")")))
    })
  } catch {
    return true
  }
}
