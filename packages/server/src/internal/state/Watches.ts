/**
 * The watches of clients, kept as ZooKeeper 3.8 keeps them: in two tables, for data and for children, where a watcher has
 * one mode for each path, and the last registration wins.
 *
 * So a one-shot watch on a path replaces a persistent one there. Release 3.9 has changed that, but clients have to cope with
 * it.
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
 * The tables that a request is about.
 *
 * @category models
 * @since 0.1.0
 */
export type Table = "data" | "children" | "any"

/**
 * All watches of a replica.
 *
 * @category models
 * @since 0.1.0
 */
export class Watches<Watcher> {
  private readonly data = new WatchTable<Watcher>()
  private readonly children = new WatchTable<Watcher>()

  add(table: Table, path: string, watcher: Watcher, mode: Mode): void {
    if (table !== "children") this.data.add(path, watcher, mode)
    if (table !== "data") this.children.add(path, watcher, mode)
  }

  /** Removes a watch; false if there is none. */
  remove(table: Table, path: string, watcher: Watcher): boolean {
    const fromChildren = table !== "data" && this.children.remove(path, watcher)
    const fromData = table !== "children" && this.data.remove(path, watcher)
    return fromChildren || fromData
  }

  /** Whether any client watches a path; servers of 3.8 do not check which. Undefined for a path on which they fail. */
  isWatched(table: Table, path: string): boolean | undefined {
    const found = table === "data" ? false : this.children.isWatched(path)
    return found === false && table !== "children" ? this.data.isWatched(path) : found
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
}

// ---- internal

class WatchTable<Watcher> {
  private readonly byPath = new Map<string, Map<Watcher, Mode>>()
  private readonly byWatcher = new Map<Watcher, Set<string>>()
  private recursive = 0

  add(path: string, watcher: Watcher, mode: Mode): void {
    let watchers = this.byPath.get(path)
    if (watchers === undefined) this.byPath.set(path, (watchers = new Map()))
    let paths = this.byWatcher.get(watcher)
    if (paths === undefined) this.byWatcher.set(watcher, (paths = new Set()))
    if (watchers.get(watcher) === "recursive") this.recursive--
    if (mode === "recursive") this.recursive++
    watchers.set(watcher, mode)
    paths.add(path)
  }

  remove(path: string, watcher: Watcher): boolean {
    const watchers = this.byPath.get(path)
    const mode = watchers?.get(watcher)
    if (watchers === undefined || mode === undefined) return false
    if (mode === "recursive") this.recursive--
    watchers.delete(watcher)
    if (watchers.size === 0) this.byPath.delete(path)
    const paths = this.byWatcher.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.byWatcher.delete(watcher)
    return true
  }

  /**
   * A real server walks from the path to the root. It fails if the path has no slash at all, and if the path does not begin
   * with one, is not watched, and there are recursive watches to look for. Undefined means such a failure.
   */
  isWatched(path: string): boolean | undefined {
    if (path === "") return false
    if (!path.includes("/")) return undefined
    if (this.byPath.has(path)) return true
    return path.startsWith("/") || this.recursive === 0 ? false : undefined
  }

  drop(watcher: Watcher): void {
    for (const path of [...(this.byWatcher.get(watcher) ?? [])]) this.remove(path, watcher)
  }

  /** `recursive`: whether recursive watches of the path and its ancestors hear of it. */
  fire(path: string, recursive: boolean): Set<Watcher> {
    const told = new Set<Watcher>()
    for (const [watcher, mode] of [...(this.byPath.get(path) ?? [])]) {
      if (mode === "recursive" && !recursive) continue
      told.add(watcher)
      if (mode === "once") this.remove(path, watcher)
    }
    if (!recursive || this.recursive === 0) return told
    for (const above of ZnodePath.ancestors(path)) {
      for (const [watcher, mode] of this.byPath.get(above) ?? []) if (mode === "recursive") told.add(watcher)
    }
    return told
  }

  get size(): number {
    let size = 0
    for (const paths of this.byWatcher.values()) size += paths.size
    return size
  }

  get summary() {
    return { watchers: this.byWatcher.size, paths: this.byPath.size, watches: this.size }
  }
}
