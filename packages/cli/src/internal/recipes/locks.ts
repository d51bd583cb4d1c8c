/** `zk locks`: the holders and waiters of the locks, elections and semaphores of a subtree, and since when. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { parseDuration } from "../frame/durations.ts"
import { walking } from "../look/walking.ts"
import { printAll, Printer, type Style } from "../output/Printer.ts"
import { age, oneLine } from "../output/short.ts"
import { count, shown, table } from "../output/text.ts"
import { type Contention, contentions } from "./contention.ts"

export interface Input {
  readonly path: string
  readonly older: string | undefined
  readonly waiting: boolean
}

export const locks = Effect.fnUntraced(function* ({ older, path, waiting }: Input) {
  const now = yield* Clock.currentTimeMillis
  const since = older === undefined ? undefined : now - Duration.toMillis(yield* parseDuration("--older", older))
  const isWanted = ({ contenders }: Contention): boolean =>
    (!waiting || contenders.some(({ state }) => state === "waits")) &&
    (since === undefined || contenders.some((contender) => contender.since < since))
  let found = 0
  yield* walking(path, {}, (znodes, zk) =>
    printAll(
      Output.Contention,
      znodes.pipe(
        contentions(zk),
        Stream.filter(isWanted),
        Stream.tap(() => Effect.sync(() => found++))
      ),
      describe(now)
    )
  )
  const { mode, note } = yield* Printer
  if (found > 0 || mode !== "text") return
  const such = waiting || since !== undefined ? " of that kind" : ""
  yield* note(`no lock, election, semaphore or lease${such} at or below ${shown(path)}`)
})

// ---- internal

const names = {
  lock: "lock",
  readWriteLock: "read-write lock",
  election: "election",
  semaphore: "semaphore",
  lease: "leases"
} as const

const describe =
  (now: number) =>
  ({ contenders, path, permits, recipe }: Contention, style: Style): string => {
    const holders = contenders.filter(({ state }) => state === "holds").length
    const waiting = contenders.length - holders
    const of = permits === undefined ? "" : ` of ${count(permits, "permit")}`
    const remarks = [names[recipe], `${holders}${of} held`, ...(waiting === 0 ? [] : [`${waiting} waiting`])]
    const rows = contenders.map(({ identifier, kind, layout, session, since, state, until }) => [
      `  ${state}`,
      recipe === "readWriteLock" ? `to ${kind}` : "",
      age(now - since),
      Output.formatTime(since)
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z"),
      session === undefined ? `for ${age((until ?? now) - now)} more` : Output.formatHex(session),
      layout ?? "",
      identifier === undefined ? "(its ACL forbids to read it)" : oneLine(identifier)
    ])
    // A column that is empty throughout is left out.
    const columns = rows.map((row) => row.filter((cell, index) => index !== 1 || cell !== ""))
    return `${style.bold(shown(path))}${style.dim(`  ${remarks.join(", ")}`)}\n${table(columns)}`
  }
