/**
 * The names and data of the znodes of locks, elections, semaphores and queues, in the layouts of this library, Curator,
 * kazoo, go-zookeeper and aiozk: for tools that show them. Applications use the recipes themselves.
 *
 * A name alone proves nothing: a contender is ephemeral, and a znode of the same name that is not ephemeral contends for
 * nothing. Look at its Stat.
 *
 * @since 0.1.0
 */
import { parseEntry } from "./internal/locks/leaseEntry.ts"
import {
  type ContenderKind,
  latchKind,
  type Layout,
  leaseKind,
  lockKind,
  parseContenders,
  readKind,
  writeKind
} from "./internal/locks/nodeNames.ts"
import { namingFor, parseEntries, unwrapAll } from "./internal/queues/entryFormat.ts"

/**
 * The aim of a contender: a lock, the read or the write side of a lock, to lead, or a permit of a semaphore.
 *
 * The names of kazoo are the same for locks, elections, and the write side of a read-write lock. They count as locks, and
 * as writers where there are readers beside them. Those of Curator's LeaderSelector count as locks too.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "lock" | "read" | "write" | "candidate" | "lease"

/**
 * A child of a lock, an election, or the leases of a semaphore.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contender {
  readonly name: string
  readonly kind: Kind
  readonly layout: Layout
  /** The number that the server has appended. */
  readonly sequence: number
}

/**
 * A child of a queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueEntry {
  readonly name: string
  /** `kazoo` for the entries of a LockingQueue as well. */
  readonly layout: "curator" | "kazoo"
  /** Lower numbers are more urgent. 0 for an item of Curator's queue without priorities. */
  readonly priority: number
  /** The number that the server has appended. */
  readonly sequence: number
}

/**
 * The holder of a slot of a `Lease`.
 *
 * @category models
 * @since 0.1.0
 */
export interface LeaseHolder {
  readonly identifier: string
  /** Milliseconds. */
  readonly duration: number
}

/**
 * The contenders among the children of a znode, by their names and in order of arrival; other children are left out.
 *
 * @example
 * ```ts
 * import { Layouts } from "@effect-zookeeper/recipes"
 *
 * Layouts.contenders(["_c_8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c77-lock-0000000003", "config"])
 * // [{ name: "_c_8f4a…", kind: "lock", layout: "curator", sequence: 3 }]
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const contenders = (names: ReadonlyArray<string>): ReadonlyArray<Contender> => {
  const found = parseContenders(names, kinds).map(({ kind, name, sequence }): Contender => ({
    name,
    kind: toKind(kind),
    layout: layoutOf(name),
    sequence
  }))
  const hasReaders = found.some(({ kind, layout }) => kind === "read" && layout === "kazoo")
  return hasReaders
    ? found.map((contender) =>
        contender.kind === "lock" && contender.layout === "kazoo" ? { ...contender, kind: "write" } : contender
      )
    : found
}

/**
 * Whether clients with the names of `layout` wait for a contender of the same kind that was there first, with a name of
 * `other`. This library waits for the contenders of all layouts; others do not wait for all of its own, so that a path is
 * safe to share only where this says so.
 *
 * kazoo knows its own names alone, unless it was given `extra_lock_patterns`, which its names do not tell. Curator and
 * go-zookeeper know each other's; some releases of go-zookeeper fail where they find other names. aiozk waits for all.
 *
 * @example
 * ```ts
 * import { Layouts } from "@effect-zookeeper/recipes"
 *
 * Layouts.waitsFor("kazoo", "curator") // false
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const waitsFor = (layout: Contender["layout"], other: Contender["layout"]): boolean =>
  known[layout].includes(other)

/**
 * The items among the children of a queue, by their names and in the order in which they are taken; other children are
 * left out.
 *
 * @example
 * ```ts
 * import { Layouts } from "@effect-zookeeper/recipes"
 *
 * Layouts.queueEntries(["entry-100-0000000002", "entry-010-0000000005"])
 * // [{ name: "entry-010-0000000005", layout: "kazoo", priority: 10, sequence: 5 }, …]
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const queueEntries = (names: ReadonlyArray<string>): ReadonlyArray<QueueEntry> => {
  const parsed = (layout: QueueEntry["layout"], hasPriorities: boolean) =>
    parseEntries(names, namingFor(layout, hasPriorities)).map(({ name, priority, sequence }): QueueEntry => ({
      name,
      layout,
      priority,
      sequence
    }))
  // A path has one queue: the layout of most of its names.
  return [parsed("curator", true), parsed("curator", false), parsed("kazoo", true)].reduce((most, next) =>
    next.length > most.length ? next : most
  )
}

/**
 * The items in the data of one znode of Curator's queues, which can be several; undefined for other data, such as that of
 * kazoo's queues, which is the item itself.
 *
 * @example
 * ```ts
 * import { Layouts } from "@effect-zookeeper/recipes"
 *
 * Layouts.queueItems(new TextEncoder().encode("plain")) // undefined
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const queueItems = (data: Uint8Array): ReadonlyArray<Uint8Array> | undefined => unwrapAll(data)

/**
 * The holder in the data of a slot of a `Lease`, which is a child `lease-<n>` of its path; undefined for a free slot and for
 * other data. Its time begins with the `mtime` of the slot.
 *
 * @example
 * ```ts
 * import { Layouts } from "@effect-zookeeper/recipes"
 *
 * Layouts.leaseHolder(new Uint8Array()) // undefined
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const leaseHolder = (data: Uint8Array): LeaseHolder | undefined => {
  const entry = parseEntry(data)
  return entry === undefined ? undefined : { identifier: entry.identifier, duration: entry.duration }
}

// ---- internal

/** The names that each library counts as contenders. */
const known: Readonly<Record<Layout, ReadonlyArray<Layout>>> = {
  curator: ["curator", "go"],
  go: ["curator", "go"],
  kazoo: ["kazoo"],
  aiozk: ["curator", "go", "kazoo", "aiozk"]
}

const kinds: Readonly<Record<Kind, ContenderKind>> = {
  lock: lockKind,
  read: readKind,
  write: writeKind,
  candidate: latchKind,
  lease: leaseKind
}

const toKind = (kind: string): Kind =>
  kind === "read" || kind === "write" || kind === "candidate" || kind === "lease" ? kind : "lock"

const layoutOf = (name: string): Layout => {
  if (/^_c_[0-9a-f]{32}-/.test(name)) return "go"
  if (/^(?:lock|read|write|candidate|lease)-[0-9a-f]{32}-/.test(name)) return "aiozk"
  return /^[0-9a-f]{32}__(?:lock|rlock|lease)__/.test(name) ? "kazoo" : "curator"
}
