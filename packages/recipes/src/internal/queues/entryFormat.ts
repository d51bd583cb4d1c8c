/**
 * The items of a queue as znodes: their paths, names, order and data, in our layout and in those of other clients that
 * share a queue with us.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import { DataInvalid } from "../../Errors.ts"
import type { DataCodec } from "../shared/dataCodec.ts"

/**
 * Paths, names and data of a queue's znodes.
 *
 * - `curator`: `queue-0000000007` in the path itself, with the data of Apache Curator's `DistributedQueue`; with priorities
 *   `queue-1000000050000000007`, of its `DistributedPriorityQueue`.
 * - `kazoo`: `entry-100-0000000007` in the path itself, of kazoo's `Queue`.
 * - `kazooLocking`: the same in `entries` below the path, of kazoo's `LockingQueue`.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "kazoo" | "kazooLocking"

/** The paths of a queue. */
export interface QueuePaths {
  readonly items: string
  /** The locks of items that are being worked on. */
  readonly taken: string
  readonly markers: string
}

export interface Entry {
  readonly name: string
  readonly priority: number
  readonly sequence: number
}

/** The names of items. */
export interface EntryNaming {
  /** The name that a create sends; the server appends the number. */
  readonly prefix: (priority: number) => string
  readonly parse: (name: string) => Entry | undefined
  /** The priority of an item that is offered without one. */
  readonly defaultPriority: number
  readonly minPriority: number
  readonly maxPriority: number
}

/** The locks of Curator's locking queue may be at any path. */
export const queuePaths = (layout: Layout, path: string, taken: string | undefined): QueuePaths =>
  layout === "kazooLocking"
    ? { items: `${path}/entries`, taken: taken ?? `${path}/taken`, markers: `${path}/clients` }
    : // Beside the queue, because kazoo takes every child for an item.
      { items: path, taken: taken ?? `${path}-taken`, markers: `${path}-clients` }

/** The names of a layout, with priorities or without. */
export const namingFor = (layout: Layout, hasPriorities: boolean): EntryNaming =>
  layout === "curator" ? (hasPriorities ? curatorPriorities : curator) : kazoo

/** The items among the children of a path, in queue order; other children are left out. */
export const parseEntries = (names: ReadonlyArray<string>, naming: EntryNaming): ReadonlyArray<Entry> =>
  names
    .map((name) => naming.parse(name))
    .filter((entry) => entry !== undefined)
    .toSorted((a, b) => a.priority - b.priority || ZnodePath.compareSequence(a.sequence, b.sequence))

/** The data of an item in a layout. */
export const itemCodec = <A>(layout: Layout, data: DataCodec<A>): DataCodec<A> =>
  layout !== "curator"
    ? data
    : {
        encode: (item) => Effect.map(data.encode(item), wrap),
        decode: (path, bytes) => {
          const item = unwrap(bytes)
          return item === undefined
            ? Effect.fail(new DataInvalid({ path, expected: "one item as Curator's DistributedQueue writes it" }))
            : data.decode(path, item)
        }
      }

/** The items in the data of a znode of Curator's queues; undefined for other data. */
export const unwrapAll = (data: Uint8Array): ReadonlyArray<Uint8Array> | undefined => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (data.byteLength <= head || view.getInt32(0) !== version) return undefined
  const items: Array<Uint8Array> = []
  let at = 4
  while (at < data.byteLength && view.getUint8(at) === 1) {
    if (at + 5 > data.byteLength) return undefined
    const start = at + 5
    const end = start + view.getInt32(at + 1)
    if (end < start || end >= data.byteLength) return undefined
    items.push(data.slice(start, end))
    at = end
  }
  return at === data.byteLength - 1 && view.getUint8(at) === 2 && items.length > 0 ? items : undefined
}

// ---- internal: names

const parseEntry = (name: string, prefix: string, priority: number): Entry | undefined => {
  const sequence = ZnodePath.sequence(name, prefix)
  return sequence === undefined ? undefined : { name, priority, sequence }
}

const maxInt32 = 2_147_483_647

const curator: EntryNaming = {
  prefix: () => "queue-",
  parse: (name) => parseEntry(name, "queue-", 0),
  defaultPriority: 0,
  minPriority: 0,
  maxPriority: 0
}

/** A digit for the sign, and the 32 bits in hexadecimal: the order of the names is that of the numbers. */
const curatorPriorities: EntryNaming = {
  prefix: (priority) => `queue-${priority < 0 ? 0 : 1}${(priority >>> 0).toString(16).toUpperCase().padStart(8, "0")}`,
  parse: (name) => {
    const found = /^queue-[01]([0-9A-F]{8})/.exec(name)
    return found === null ? undefined : parseEntry(name, found[0], Number.parseInt(found[1]!, 16) | 0)
  },
  defaultPriority: 0,
  minPriority: -maxInt32 - 1,
  maxPriority: maxInt32
}

const kazoo: EntryNaming = {
  prefix: (priority) => `entry-${String(priority).padStart(3, "0")}-`,
  parse: (name) => {
    const found = /^entry-(\d{3})-/.exec(name)
    return found === null ? undefined : parseEntry(name, found[0], Number(found[1]))
  },
  defaultPriority: 100,
  minPriority: 0,
  maxPriority: 999
}

// ---- internal: data of Curator

/** A version, for each item a 1 with its length and bytes, and a 2. */
const version = 0x0001_0001
const head = 9

const wrap = (item: Uint8Array): Uint8Array => {
  const data = new Uint8Array(head + item.byteLength + 1)
  const view = new DataView(data.buffer)
  view.setInt32(0, version)
  view.setUint8(4, 1)
  view.setInt32(5, item.byteLength)
  data.set(item, head)
  view.setUint8(data.byteLength - 1, 2)
  return data
}

/** Undefined for other data, and for several items in one znode, which Curator's `putMulti` writes. */
const unwrap = (data: Uint8Array): Uint8Array | undefined => {
  const items = unwrapAll(data)
  return items?.length === 1 ? items[0] : undefined
}
