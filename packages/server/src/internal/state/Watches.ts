/**
 * The watches of clients, kept as ZooKeeper keeps them: in two tables, for data and for children.
 *
 * Until ZooKeeper 3.8 a watcher has one mode for each path of a table, and the last registration wins, so that a one-shot watch
 * on a path replaces a persistent one there. Since 3.9 the modes stay side by side, and each is removed by itself. Clients
 * have to cope with both.
 *
 * @since 0.1.0
 */
import type { Touch } from "./DataTree.ts"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"

/**
 * How long a watch lasts, and whether it is for descendants, too.
 *
 * @category models
 * @since 0.1.0
 */
export type Mode = "once" | "persistent" | "recursive"

/**
 * The tables to which a watch is added.
 *
 * @category models
 * @since 0.1.0
 */
export type Table = "data" | "children" | "any"

/**
 * The watches that a request looks for or removes: those of a table or, since ZooKeeper 3.9, of a mode.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = Table | "persistent" | "recursive"

/**
 * All watches of a replica.
 *
 * @category models
 * @since 0.1.0
 */
export class Watches<Watcher> {
  private readonly coexist: boolean
  private readonly data: WatchTable<Watcher>
  private readonly children: WatchTable<Watcher>

  /** `coexist`: whether the modes on one path stay side by side, as since 3.9. */
  constructor(coexist = false) {
    this.coexist = coexist
    this.data = new WatchTable(coexist)
    this.children = new WatchTable(coexist)
  }

  add(table: Table, path: string, watcher: Watcher, mode: Mode): void {
    // A recursive watch never hears that children have changed: since 3.9 it is not in that table.
    const isForData = this.coexist && mode === "recursive"
    if (table !== "children") this.data.add(path, watcher, mode)
    if (table !== "data" && !isForData) this.children.add(path, watcher, mode)
  }

  /** Removes watches; false if there is none. */
  remove(kind: Kind, path: string, watcher: Watcher): boolean {
    if (kind === "persistent" || kind === "recursive") {
      const fromChildren = this.children.remove(path, watcher, BITS[kind])
      return this.data.remove(path, watcher, BITS[kind]) || fromChildren
    }
    const bits = this.coexist && kind !== "any" ? BITS.once : ALL
    const fromChildren = kind !== "data" && this.children.remove(path, watcher, bits)
    const fromData = kind !== "children" && this.data.remove(path, watcher, bits)
    return fromChildren || fromData
  }

  /**
   * Whether the watcher has such a watch on a path. Until 3.8 a server tells whether any client has one. Undefined for a path on
   * which such a server fails.
   */
  isWatched(kind: Kind, path: string, watcher: Watcher): boolean | undefined {
    if (!this.coexist) {
      const found = kind === "data" ? false : this.children.isWatched(path)
      return found === false && kind !== "children" ? this.data.isWatched(path) : found
    }
    if (kind === "any") return this.children.has(path, watcher, ALL) || this.data.has(path, watcher, ALL)
    const bits = BITS[kind === "data" || kind === "children" ? "once" : kind]
    return (kind === "children" ? this.children : this.data).has(path, watcher, bits)
  }

  /** Removes all watches of a watcher. */
  drop(watcher: Watcher): void {
    this.data.drop(watcher)
    this.children.drop(watcher)
  }

  /** The watchers that hear of a touch. Their one-shot watches are used up. */
  fire({ path, type }: Touch): ReadonlyArray<Watcher> {
    if (type === "NodeChildrenChanged") return [...this.children.fire(path, false)]
    const told = this.data.fire(path, true)
    if (type === "NodeDeleted") for (const watcher of this.children.fire(path, true)) told.add(watcher)
    return [...told]
  }

  /** The number of watches in both tables. */
  get size(): number {
    return this.data.size + this.children.size
  }

  /** The numbers in the answer to `wchs`, which are of the data table alone. */
  get summary(): { readonly watchers: number; readonly paths: number; readonly watches: number } {
    return this.data.summary
  }

  /** The watched paths and their watchers in the answers to `wchp` and `wchc`, which are of the data table alone. */
  get entries(): {
    readonly byPath: Iterable<readonly [path: string, watchers: Iterable<Watcher>]>
    readonly byWatcher: Iterable<readonly [watcher: Watcher, paths: Iterable<string>]>
  } {
    return this.data.entries
  }
}

// ---- internal

/** The modes of a watcher on a path are a sum of these. */
const BITS: Readonly<Record<Mode, number>> = { once: 1, persistent: 2, recursive: 4 }

const ALL = 7

class WatchTable<Watcher> {
  private readonly coexist: boolean
  private readonly byPath = new Map<string, Map<Watcher, number>>()
  private readonly byWatcher = new Map<Watcher, Set<string>>()
  private recursive = 0

  constructor(coexist: boolean) {
    this.coexist = coexist
  }

  add(path: string, watcher: Watcher, mode: Mode): void {
    const before = this.bitsOf(path, watcher)
    this.set(path, watcher, before, this.coexist ? before | BITS[mode] : BITS[mode])
  }

  /** Removes some modes of a watcher on a path; false if it has none of them. */
  remove(path: string, watcher: Watcher, bits: number): boolean {
    const before = this.bitsOf(path, watcher)
    if ((before & bits) === 0) return false
    this.set(path, watcher, before, before & ~bits)
    return true
  }

  has(path: string, watcher: Watcher, bits: number): boolean {
    return (this.bitsOf(path, watcher) & bits) !== 0
  }

  /**
   * Whether any client watches a path. A real 3.8 walks from the path to the root. It fails if the path has no slash at all, and
   * if the path does not begin with one, is not watched, and there are recursive watches to look for. Undefined means such a
   * failure.
   */
  isWatched(path: string): boolean | undefined {
    if (path === "") return false
    if (!path.includes("/")) return undefined
    if (this.byPath.has(path)) return true
    return path.startsWith("/") || this.recursive === 0 ? false : undefined
  }

  drop(watcher: Watcher): void {
    for (const path of [...(this.byWatcher.get(watcher) ?? [])]) this.remove(path, watcher, ALL)
  }

  /** `recursive`: whether recursive watches of the path and its ancestors hear of it. */
  fire(path: string, recursive: boolean): Set<Watcher> {
    const told = new Set<Watcher>()
    for (const [watcher, bits] of [...(this.byPath.get(path) ?? [])]) {
      if (bits === BITS.recursive && !recursive) continue
      told.add(watcher)
      this.remove(path, watcher, BITS.once)
    }
    if (!recursive || this.recursive === 0) return told
    for (const above of ZnodePath.ancestors(path)) {
      for (const [watcher, bits] of this.byPath.get(above) ?? []) if ((bits & BITS.recursive) !== 0) told.add(watcher)
    }
    return told
  }

  private bitsOf(path: string, watcher: Watcher): number {
    return this.byPath.get(path)?.get(watcher) ?? 0
  }

  private set(path: string, watcher: Watcher, before: number, after: number): void {
    if ((before & BITS.recursive) !== 0) this.recursive--
    if ((after & BITS.recursive) !== 0) this.recursive++
    if (after === 0) this.forget(path, watcher)
    else this.keep(path, watcher, after)
  }

  private keep(path: string, watcher: Watcher, bits: number): void {
    let watchers = this.byPath.get(path)
    if (watchers === undefined) this.byPath.set(path, (watchers = new Map()))
    let paths = this.byWatcher.get(watcher)
    if (paths === undefined) this.byWatcher.set(watcher, (paths = new Set()))
    watchers.set(watcher, bits)
    paths.add(path)
  }

  private forget(path: string, watcher: Watcher): void {
    const watchers = this.byPath.get(path)
    watchers?.delete(watcher)
    if (watchers?.size === 0) this.byPath.delete(path)
    const paths = this.byWatcher.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.byWatcher.delete(watcher)
  }

  get size(): number {
    let size = 0
    for (const paths of this.byWatcher.values()) size += paths.size
    return size
  }

  get summary() {
    return { watchers: this.byWatcher.size, paths: this.byPath.size, watches: this.size }
  }

  get entries() {
    return {
      byPath: Array.from(this.byPath, ([path, watchers]) => [path, watchers.keys()] as const),
      byWatcher: this.byWatcher
    }
  }
}
