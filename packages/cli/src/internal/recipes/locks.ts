/** `zk locks`: the holders and waiters of the locks, elections and semaphores of a subtree, and when they came. */
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import { askClients } from "../look/sessions.ts"
import { walking } from "../look/walking.ts"
import { tableOf } from "../output/columns.ts"
import { printAll, Printer, type Style } from "../output/Printer.ts"
import { age, oneLine } from "../output/short.ts"
import { count, shown } from "../output/text.ts"
import { type Contention, contentions } from "./contention.ts"

export interface Input {
  readonly path: string
  readonly older: string | undefined
  readonly waiting: boolean
  /** Whether the servers are asked for the clients of the sessions. */
  readonly clients: boolean
}

export const locks = Effect.fnUntraced(function* ({ clients: hasClients, older, path, waiting }: Input) {
  const now = yield* Clock.currentTimeMillis
  const since = older === undefined ? undefined : now - Duration.toMillis(yield* parseDuration("--older", older))
  const isWanted = ({ contenders }: Contention): boolean =>
    (!waiting || contenders.some(({ state }) => state === "waits")) &&
    (since === undefined || contenders.some((contender) => contender.since < since))
  const { mode, note } = yield* Printer
  const told = hasClients ? yield* askClients((yield* Client).settings) : undefined
  for (const problem of told?.problems ?? []) yield* note(problem)
  let found = 0
  yield* walking(path, {}, (znodes, zk) =>
    printAll(
      Output.Contention,
      znodes.pipe(
        contentions(zk),
        Stream.filter(isWanted),
        Stream.map((contention) => (told === undefined ? contention : withClients(contention, told.clients))),
        Stream.tap(() => Effect.sync(() => found++))
      ),
      describe(now, hasClients)
    )
  )
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

const withClients = (contention: Contention, clients: ReadonlyMap<bigint, string>): Contention => ({
  ...contention,
  contenders: contention.contenders.map((contender) => {
    const client = contender.session === undefined ? undefined : clients.get(contender.session)
    return client === undefined ? contender : { ...contender, client }
  })
})

const describe =
  (now: number, hasClients: boolean) =>
  ({ contenders, path, permits, recipe }: Contention, style: Style): string => {
    const holders = contenders.filter(({ state }) => state === "holds").length
    const waiting = contenders.length - holders
    const of = permits === undefined ? "" : ` of ${count(permits, "permit")}`
    const remarks = [names[recipe], `${holders}${of} held`, ...(waiting === 0 ? [] : [`${waiting} waiting`])]
    const rows = contenders.map(({ client, identifier, kind, layout, session, since, state, until }) => ({
      state: `  ${state}`,
      kind: `to ${kind}`,
      // A lease is written when it is taken, and when it is renewed. Of others no server tells since when they hold.
      age: `${session === undefined ? "taken or renewed" : "came"} ${age(now - since)} ago`,
      since: Output.formatTime(since)
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z"),
      session: session === undefined ? `for ${age((until ?? now) - now)} more` : Output.formatHex(session),
      client: client === undefined ? "-" : shown(client),
      layout: layout ?? "",
      identifier: identifier === undefined ? "(its ACL forbids to read it)" : oneLine(identifier)
    }))
    const shownColumns = columns.filter(
      ({ name }) => (name !== "kind" || recipe === "readWriteLock") && (name !== "client" || hasClients)
    )
    return `${style.bold(shown(path))}${style.dim(`  ${remarks.join(", ")}`)}
${tableOf(shownColumns, byWorth, rows, style.width)}${unseen(contenders)}`
  }

/** Two layouts of which one does not see the other, in a line; nothing where there are none. */
const unseen = (contenders: Contention["contenders"]): string => {
  for (const [index, { layout: own, state }] of contenders.entries()) {
    if (own === undefined || state !== "waits") continue
    const other = contenders
      .slice(0, index)
      .find(({ layout }) => layout !== undefined && !Layouts.waitsFor(own, layout))?.layout
    if (other === undefined) continue
    return `  ${own} does not wait for ${other}, except in this library: two may hold it at a time\n`
  }
  return ""
}

/** Without titles, for each cell says what it is. */
const columns = [
  { name: "state", title: "" },
  { name: "kind", title: "" },
  { name: "age", title: "" },
  { name: "since", title: "" },
  { name: "session", title: "" },
  { name: "client", title: "" },
  { name: "layout", title: "" },
  { name: "identifier", title: "", canCut: true }
] as const

const byWorth = ["state", "kind", "session", "client", "age", "identifier", "layout", "since"] as const
