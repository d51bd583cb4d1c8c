/** The judgement of a trial by its history: whether anything ran twice at a time, and figures of it all. */
import * as History from "@effect-zookeeper/test-kit/history/History"
import { type Hold, holdsOf } from "@effect-zookeeper/test-kit/history/holds"
import * as Figures from "@effect-zookeeper/test-kit/trial/figures"

type Operations = ReadonlyArray<History.Operation>

/** Two runs of the same entity, singleton or cron at one time, but for those of a process that stood still. */
export const overlaps = (operations: Operations) => {
  const pauses = operations.filter(({ f, path }) => f === "pause" && path === "")
  const violations: Array<string> = []
  let excused = 0
  for (const holds of byPath(operations).values()) {
    let earlier: ReadonlyArray<Hold> = []
    for (const later of holds) {
      earlier = earlier.filter(({ to }) => to > later.from)
      for (const { acquire, to } of earlier) {
        const until = Math.min(to, later.to)
        if (until <= later.from) continue
        // It could not stop, or not say in time that it had begun, until it went on.
        const stoodStill = pauses.some(
          ({ client, completedAt, invokedAt }) =>
            (client === acquire.client || client === later.acquire.client) &&
            invokedAt <= later.from &&
            until <= completedAt
        )
        if (stoodStill) excused++
        else {
          const both = `${History.describe(acquire)}, and ${History.describe(later.acquire)}`
          violations.push(`two ran for ${((until - later.from) / 1000).toFixed(1)} ms: ${both}`)
        }
      }
      earlier = [...earlier, later]
    }
  }
  return { violations, excused }
}

/** How often each kind of work began, how often on another runner than before, and how long a singleton stood still. */
export const table = (operations: Operations): string => {
  const kinds = Map.groupBy(byPath(operations), ([path]) => kindOf(path))
  const rows = ["entities", "singletons", "cron"].map((kind) => {
    const works = (kinds.get(kind) ?? []).map(([, holds]) => holds)
    const count = (of: (holds: ReadonlyArray<Hold>) => number) =>
      String(works.reduce((sum, holds) => sum + of(holds), 0))
    return [kind, count((holds) => holds.length), count(moves)]
  })
  const gaps = (kinds.get("singletons") ?? []).flatMap(([, holds]) => gapsIn(holds, crashesIn(operations)))
  const spreadOf = (name: string, afterCrash: boolean) =>
    Figures.spread(
      name,
      gaps.filter((gap) => gap.afterCrash === afterCrash).map(({ lasted }) => lasted)
    )
  return [
    Figures.table(["what ran", "times", "moved"], rows),
    Figures.table(Figures.spreadHead("singletons that ran on no runner"), [
      spreadOf("after a kill", true),
      spreadOf("after they were stopped", false)
    ]),
    `${replacedSessions(operations)} sessions were replaced`
  ].join("\n\n")
}

// ---- internal

const byPath = (operations: Operations) => Map.groupBy(holdsOf(operations), ({ acquire }) => acquire.path)

const kindOf = (path: string): string =>
  path === "cron" ? "cron" : path.startsWith("account ") ? "entities" : "singletons"

/** A process that was started again is the same runner: `runner-1.2` comes after `runner-1.1`. */
const runnerOf = ({ acquire }: Hold): string => acquire.client.replace(/\.\d+$/, "")

const moves = (holds: ReadonlyArray<Hold>): number =>
  holds.filter((hold, index) => index > 0 && runnerOf(hold) !== runnerOf(holds[index - 1]!)).length

const crashesIn = (operations: Operations): ReadonlySet<number> =>
  new Set(operations.filter(({ f }) => f === "crash").map(({ invokedAt }) => invokedAt))

const gapsIn = (holds: ReadonlyArray<Hold>, crashes: ReadonlySet<number>) =>
  holds.slice(1).flatMap(({ from }, index) => {
    const { to } = holds[index]!
    return to < from ? [{ lasted: (from - to) / 1000, afterCrash: crashes.has(to) }] : []
  })

/** Of processes that went on. */
const replacedSessions = (operations: Operations): number => {
  const sessions = Map.groupBy(
    operations.filter(({ f, session }) => f === "acquire" && session !== undefined),
    ({ client }) => client
  )
  return [...sessions.values()].reduce((sum, of) => sum + new Set(of.map(({ session }) => session)).size - 1, 0)
}
