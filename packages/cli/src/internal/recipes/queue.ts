/** `zk queue`: the items of a queue, and those that are being worked on. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "../../Output.ts"
import { Client, type Reader } from "../frame/Client.ts"
import { Conflict } from "../frame/errors.ts"
import { encodeData } from "../output/data.ts"
import { tableOf } from "../output/columns.ts"
import { printOne, type Style } from "../output/Printer.ts"
import { age, oneLine } from "../output/short.ts"
import { count, shown } from "../output/text.ts"

export interface Input {
  readonly path: string
  readonly items: number | undefined
  /** The znode with the locks of items, where it is not at its usual path. */
  readonly taken: string | undefined
}

export const queue = Effect.fnUntraced(function* (input: Input) {
  const zk = yield* (yield* Client).reader
  const now = yield* Clock.currentTimeMillis
  yield* printOne(Output.Queue, yield* readQueue(zk, input), describe(now))
})

/** A queue as it is. A znode whose children are no items is none. */
export const readQueue = Effect.fnUntraced(function* (
  zk: Reader,
  { items: limit = 10, path, taken }: Input
): Effect.fn.Return<Queue, ReadError | Conflict> {
  const found = yield* findItems(zk, path)
  const { entries, items, layout } = found
  const locksAt = taken ?? (layout === "kazooLocking" ? `${path}/taken` : `${path}-taken`)
  const [locks, dead] = yield* Effect.all([childrenOf(zk, locksAt), childrenOf(zk, `${path}-dead`)])
  const locked = new Set(locks)
  const shownEntries = entries.slice(0, limit)
  const read = yield* Effect.forEach(
    shownEntries,
    (entry) => readEntry(zk, items, entry, locked.has(entry.name) ? locksAt : undefined),
    {
      concurrency: 64
    }
  )
  return {
    path,
    ...(entries.length === 0 && layout !== "kazooLocking" ? {} : { layout }),
    items: entries.length,
    taken: entries.filter(({ name }) => locked.has(name)).length,
    dead: Layouts.queueEntries(dead).length,
    entries: read.filter((entry) => entry !== undefined)
  }
})

// ---- internal

type Queue = typeof Output.Queue.Type
type Entry = Queue["entries"][number]

interface Items {
  /** The parent of the items. */
  readonly items: string
  readonly layout: NonNullable<Queue["layout"]>
  readonly entries: ReadonlyArray<Layouts.QueueEntry>
}

const findItems = Effect.fnUntraced(function* (
  zk: Reader,
  path: string
): Effect.fn.Return<Items, ReadError | Conflict> {
  const children = yield* zk.getChildren(path)
  const entries = Layouts.queueEntries(children)
  const [first] = entries
  if (first !== undefined) return { items: path, layout: first.layout, entries }
  if (children.includes("entries")) {
    const items = ZnodePath.join(path, "entries")
    return { items, layout: "kazooLocking", entries: Layouts.queueEntries(yield* childrenOf(zk, items)) }
  }
  if (children.length === 0) return { items: path, layout: "curator", entries }
  return yield* new Conflict({
    message: `${shown(path)} has ${count(children.length, "child", "children")}, and none with the name of an item: it is no queue`
  })
})

/** None where there is no such znode. */
const childrenOf = (zk: Reader, path: string): Effect.Effect<ReadonlyArray<string>, ReadError> =>
  Effect.catchTag(zk.getChildren(path), "NoNode", () => Effect.succeed([]))

/** Undefined for an item that is gone. */
const readEntry = Effect.fnUntraced(function* (
  zk: Reader,
  parent: string,
  { name, priority }: Layouts.QueueEntry,
  locksAt: string | undefined
): Effect.fn.Return<Entry | undefined, ReadError> {
  const path = ZnodePath.join(parent, name)
  const found = yield* Effect.catchTag(Effect.asSome(zk.get(path)), "NoNode", () => Effect.succeedNone)
  if (Option.isNone(found)) return undefined
  const { data, stat } = found.value
  const lock =
    locksAt === undefined
      ? Option.none()
      : yield* Effect.catchTag(zk.stat(ZnodePath.join(locksAt, name)), "NoAuth", () => Effect.succeedNone)
  const items = Layouts.queueItems(data)
  return {
    path,
    priority,
    state: Option.isSome(lock) ? "taken" : "waits",
    since: stat.ctime,
    // Each take by this library writes the item anew.
    attempts: stat.version,
    ...(Option.isSome(lock) ? { takenSince: lock.value.ctime, session: lock.value.ephemeralOwner } : {}),
    ...encodeData(items?.[0] ?? data),
    ...(items !== undefined && items.length > 1 ? { more: items.length - 1 } : {})
  }
})

const describe =
  (now: number) =>
  ({ dead, entries, items, layout, path, taken }: Queue, style: Style): string => {
    const remarks = [
      ...(layout === undefined ? [] : [`layout ${layout}`]),
      count(items, "item"),
      `${taken} taken`,
      ...(dead === 0 ? [] : [count(dead, "dead letter")])
    ]
    const head = `${style.bold(shown(path))}${style.dim(`  ${remarks.join(", ")}`)}\n`
    if (entries.length === 0) return head
    const rows = entries.map((entry) => ({
      item: `  ${ZnodePath.name(entry.path)}`,
      age: age(now - entry.since),
      state:
        entry.takenSince === undefined
          ? "waits"
          : `taken ${age(now - entry.takenSince)} by ${Output.formatHex(entry.session ?? 0n)}`,
      takes: entry.attempts === 0 ? "-" : String(entry.attempts),
      data: dataOf(entry)
    }))
    const rest = items - entries.length
    const end = rest <= 0 ? "" : style.dim(`  … ${rest} more\n`)
    return `${head}${tableOf(columns, ["item", "state", "age", "data", "takes"], rows, style.width)}${end}`
  }

const columns = [
  { name: "item", title: "  ITEM" },
  { name: "age", title: "AGE" },
  { name: "state", title: "STATE" },
  { name: "takes", title: "TAKES" },
  { name: "data", title: "DATA", canCut: true }
] as const

const dataOf = ({ data, encoding, more = 0 }: Entry): string => {
  const text = encoding === "utf8" ? oneLine(data) : `${oneLine(data)} (base64)`
  return more === 0 ? text : `${text} and ${count(more, "item")} more`
}
