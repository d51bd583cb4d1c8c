/** `zk tail`: the newest children of a znode, and then each that comes. */
import type { ChildrenAndStat, DataAndStat } from "@effect-zookeeper/client/Models"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import type { Reader } from "../frame/Client.ts"
import { block, cut, encodeData, linesOf, readable } from "../output/data.ts"
import { printAll, Printer, type Style } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { timeOf } from "./describe.ts"
import { openWatcher, readOr, type Unread, type WatchError } from "./reading.ts"

export interface Input {
  readonly path: string
  readonly lines: number | undefined
  readonly count: number | undefined
}

export const tail = Effect.fnUntraced(function* ({ count, lines = 10, path }: Input) {
  const zk = yield* openWatcher(path, count)
  const { mode } = yield* Printer
  const found = yield* arrivals(zk, path, lines, mode === "text")
  let arrived = 0
  const isLast = ({ event }: Arrival): boolean => event === "arrived" && ++arrived === count
  yield* printAll(Output.Arrival, Stream.takeUntil(found, isLast), describe, { isLive: true })
})

// ---- internal

type Arrival = typeof Output.Arrival.Type & {
  /** The data as text for people. */
  readonly text?: string
}

/** A child that is to be read, or was read already. */
type Come =
  | { readonly event: "gap"; readonly path: string }
  | {
      readonly event: "there" | "arrived"
      readonly path: string
      readonly found?: DataAndStat | { readonly unread: Unread }
    }

/** It fails where the parent does not exist at the beginning; later it may come and go, as containers do. */
const arrivals = Effect.fnUntraced(function* (zk: Reader, path: string, lines: number, hasText: boolean) {
  const ready = yield* Deferred.make<void>()
  const onReady = () => void Deferred.doneUnsafe(ready, Exit.void)
  // Its events have the paths of children, also of those that are gone at once.
  const events = yield* zk
    .events(path, { recursive: true, onReady })
    .pipe(Stream.ensuring(Effect.sync(onReady)), Stream.toQueue({ capacity: 16 }))
  yield* Deferred.await(ready)
  const first = yield* zk.getChildrenWithStat(path)
  yield* noteLockingQueue(path, first.children)
  const newest = yield* newestOf(zk, path, first, lines)
  /** The children that were printed or passed over, and are not known to be gone. */
  const known = new Set(first.children)
  const next = Effect.fnUntraced(function* (
    event: Parameters<typeof childOf>[1]
  ): Effect.fn.Return<ReadonlyArray<Come>, WatchError> {
    if (event.type === "Gap") {
      const list = yield* readOr(zk.getChildrenWithStat(path))
      const names = "unread" in list ? [] : list.children
      const missed = names
        .filter((name) => !known.has(name))
        .toSorted()
        .toSorted(byCreation)
      known.clear()
      for (const name of names) known.add(name)
      return [
        { event: "gap", path },
        ...missed.map((name) => ({ event: "arrived" as const, path: ZnodePath.join(path, name) }))
      ]
    }
    const name = childOf(path, event)
    if (name === undefined) return []
    if (event.type === "NodeDeleted") known.delete(name)
    if (event.type !== "NodeCreated" || known.has(name)) return []
    known.add(name)
    return [{ event: "arrived", path: event.path }]
  })
  return Stream.concat(
    Stream.fromIterable<Come>(newest),
    Stream.fromQueue(events).pipe(Stream.mapEffect(next), Stream.flattenIterable)
  ).pipe(Stream.mapEffect((come) => read(zk, come, hasText), { concurrency: 16 }))
})

/** The items of kazoo's locking queue are one level deeper, where they would never be seen. */
const noteLockingQueue = Effect.fnUntraced(function* (path: string, children: ReadonlyArray<string>) {
  if (!children.includes("entries") || children.some((name) => name !== "entries" && name !== "taken")) return
  const items = shown(ZnodePath.join(path, "entries"))
  yield* (yield* Printer).note(
    `${shown(path)} looks like kazoo's LockingQueue, whose items are below: zk tail ${items}`
  )
})

/** The name of the child that an event is about. */
const childOf = (path: string, event: { readonly type: string; readonly path: string }): string | undefined =>
  ZnodePath.parent(event.path) === path ? ZnodePath.name(event.path) : undefined

const read = Effect.fnUntraced(function* (
  zk: Reader,
  come: Come,
  hasText: boolean
): Effect.fn.Return<Arrival, WatchError> {
  if (come.event === "gap") return come
  const { event, path } = come
  const found = come.found ?? (yield* readOr(zk.get(path)))
  if ("unread" in found) return { event, path, unread: found.unread }
  const { data, stat } = found
  if (!hasText) return { event, path, stat, ...encodeData(data) }
  // What Curator's queues put around an item is not for people.
  const texts = yield* Effect.forEach(Layouts.queueItems(data) ?? [data], readable)
  return { event, path, stat, text: texts.join("") }
})

/** Sequential children by their numbers, and others by the transaction that created them, which takes a look at each. */
const newestOf = Effect.fnUntraced(function* (
  zk: Reader,
  path: string,
  { children }: ChildrenAndStat,
  lines: number
): Effect.fn.Return<ReadonlyArray<Come>, WatchError> {
  if (lines === 0) return []
  if (children.every((name) => ZnodePath.splitSequence(name) !== undefined)) {
    return children
      .toSorted(byCreation)
      .slice(-lines)
      .map((name) => ({ event: "there", path: ZnodePath.join(path, name) }))
  }
  const seen = yield* Effect.forEach(
    children,
    (name) => {
      const child = ZnodePath.join(path, name)
      // To look at a stat needs no permission with most servers.
      return Effect.map(readOr(zk.stat(child)), (stat) => ({
        path: child,
        czxid: Option.isOption(stat) && Option.isSome(stat) ? stat.value.czxid : undefined
      }))
    },
    { concurrency: 64 }
  )
  return seen
    .filter(({ czxid }) => czxid !== undefined)
    .toSorted((a, b) => Number((a.czxid ?? 0n) - (b.czxid ?? 0n)))
    .slice(-lines)
    .map(({ path }) => ({ event: "there", path }))
})

const byCreation = (a: string, b: string): number =>
  ZnodePath.compareSequence(ZnodePath.splitSequence(a)?.sequence ?? 0, ZnodePath.splitSequence(b)?.sequence ?? 0)

const describe = ({ event, path, stat, text = "", unread }: Arrival, style: Style): string => {
  if (event === "gap") return style.yellow("events may have been missed: children that came and went are not shown\n")
  const head = `${style.dim(stat === undefined ? "-".padEnd(24) : timeOf(stat.ctime))}  ${shown(ZnodePath.name(path))}`
  if (unread !== undefined) {
    return `${head}  ${style.dim(unread === "gone" ? "gone before it was read" : "its ACL forbids to read it")}\n`
  }
  const [first = "", ...rest] = linesOf(text)
  return rest.length === 0
    ? `${head}  ${cut(first)}\n`.replace(/ +\n$/, "\n")
    : `${head}\n${block([first, ...rest], "    ")}`
}
