/** The state of a znode, and then every event, each with what was read after it. */
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Output from "../../Output.ts"
import type { Reader } from "../frame/Client.ts"
import { encodeData, readable } from "../output/data.ts"
import { readOr, type WatchError } from "./reading.ts"

export interface Options {
  readonly path: string
  readonly recursive: boolean
  /** Whether to read the data after each event. */
  readonly hasData: boolean
  /** Whether the data is wanted as text for people. */
  readonly hasText: boolean
}

/** An item as it is printed, and what its text needs. */
export type Observation = typeof Output.Watched.Type & {
  /** The data as text for people. */
  readonly text?: string
  /** The number of children, where they were read. */
  readonly children?: number
  /** The data before, where it is known. */
  readonly before?: Before
}

/** The state of a znode that was shown last. */
export interface Before {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly version: number
  readonly text: string
}

/** Begins with the state as it is when the servers have the watch, so that nothing is missed between the two. */
export const observe = (zk: Reader, options: Options): Stream.Stream<Observation, WatchError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { path, recursive } = options
      const ready = yield* Deferred.make<void>()
      const onReady = () => void Deferred.doneUnsafe(ready, Exit.void)
      const events = yield* zk.events(path, { recursive, onReady }).pipe(
        Stream.ensuring(Effect.sync(onReady)),
        // The client has a buffer of its own, which says when it is full.
        Stream.toQueue({ capacity: 16 })
      )
      yield* Deferred.await(ready)
      return Stream.concat(Stream.make({ type: "State" as const, path }), Stream.fromQueue(events)).pipe(
        Stream.mapEffect((event) => readAfter(zk, options, event), { concurrency: 16 }),
        Stream.flattenIterable,
        Stream.mapAccum(makeMemory, remember)
      )
    })
  )

// ---- internal

type Cause =
  | { readonly type: "State"; readonly path: string }
  | { readonly type: "Gap"; readonly path: string }
  | {
      readonly type: "NodeCreated" | "NodeDeleted" | "NodeDataChanged" | "NodeChildrenChanged"
      readonly path: string
      readonly zxid: Option.Option<bigint>
    }

/** An observation before it is compared with those before it. */
type Raw = Observation & { readonly names?: ReadonlyArray<string> }

const readAfter = Effect.fnUntraced(function* (
  zk: Reader,
  options: Options,
  event: Cause
): Effect.fn.Return<ReadonlyArray<Raw>, WatchError> {
  const time = yield* Clock.currentTimeMillis
  const { path } = event
  if (event.type === "State") return [{ time, ...(yield* readState(zk, options)) }]
  if (event.type === "Gap") {
    return [
      { time, event: "gap", path: options.path },
      { time, ...(yield* readState(zk, options)) }
    ]
  }
  const head = { time, path, ...(Option.isSome(event.zxid) ? { zxid: event.zxid.value } : {}) }
  switch (event.type) {
    case "NodeDeleted":
      return [{ ...head, event: "deleted" }]
    case "NodeChildrenChanged":
      return [{ ...head, event: "children", ...(yield* readChildren(zk, path)) }]
    case "NodeCreated":
      return [{ ...head, event: "created", ...(yield* readData(zk, options, path)) }]
    case "NodeDataChanged":
      return [{ ...head, event: "changed", ...(yield* readData(zk, options, path)) }]
  }
})

/** The znode as it is, with its children unless theirs are events of their own. */
const readState = Effect.fnUntraced(function* (
  zk: Reader,
  options: Options
): Effect.fn.Return<Omit<Raw, "time">, WatchError> {
  const { path, recursive } = options
  const data = yield* readData(zk, { ...options, hasData: true }, path)
  if ("unread" in data && data.unread === "gone") return { event: "absent", path }
  const seen = recursive ? {} : yield* readChildren(zk, path)
  return { event: "present", path, ...seen, ...data }
})

const readData = Effect.fnUntraced(function* (zk: Reader, { hasData, hasText }: Options, path: string) {
  if (!hasData) return {}
  const found = yield* readOr(zk.get(path))
  if ("unread" in found) return found
  const { data, stat } = found
  return hasText ? { stat, text: yield* readable(data) } : { stat, ...encodeData(data) }
})

const readChildren = (zk: Reader, path: string) =>
  Effect.map(readOr(zk.getChildrenWithStat(path)), (found) =>
    "unread" in found ? found : { stat: found.stat, names: found.children }
  )

/** The states of the znodes that were seen last. */
interface Memory {
  readonly data: Map<string, Before>
  /** The length of all texts. */
  size: number
  names: ReadonlyArray<string> | undefined
}

const makeMemory = (): Memory => ({ data: new Map(), size: 0, names: undefined })

/** The texts that are kept, in characters; the oldest are forgotten first. */
const maxSize = 16_000_000

const remember = (memory: Memory, { names, ...raw }: Raw): readonly [Memory, ReadonlyArray<Observation>] => {
  const { event, path, stat, text } = raw
  let observation: Observation = raw
  if (names !== undefined) {
    const before = new Set(memory.names ?? names)
    const now = new Set(names)
    observation = {
      ...observation,
      children: names.length,
      added: names.filter((name) => !before.has(name)).toSorted(),
      removed: [...before].filter((name) => !now.has(name)).toSorted()
    }
    memory.names = names
  }
  if (event === "deleted" || event === "absent") {
    forget(memory, path)
    memory.names = event === "absent" || memory.names !== undefined ? [] : undefined
  }
  if (text === undefined || stat === undefined) return [memory, [observation]]
  const before = memory.data.get(path)
  if (before !== undefined) observation = { ...observation, before }
  forget(memory, path)
  keep(memory, path, stat, text)
  return [memory, [observation]]
}

const keep = (memory: Memory, path: string, { czxid, mzxid, version }: Stat, text: string): void => {
  memory.data.set(path, { czxid, mzxid, version, text })
  memory.size += text.length
  for (const oldest of memory.data.keys()) {
    if (memory.size <= maxSize) return
    forget(memory, oldest)
  }
}

const forget = (memory: Memory, path: string): void => {
  memory.size -= memory.data.get(path)?.text.length ?? 0
  memory.data.delete(path)
}
