/**
 * Quotas, as far as clients see them: below `/zookeeper/quota` a znode `zookeeper_limits` sets them for the path between,
 * and the server keeps the znode `zookeeper_stats` beside it up to date, without a new version or event.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { DataTree } from "../DataTree.ts"

const ROOT = "/zookeeper/quota"
const LIMITS = "zookeeper_limits"
const STATS = "zookeeper_stats"

export class QuotaTracker {
  private readonly tree: DataTree
  private readonly limited = new Set<string>()

  constructor(tree: DataTree) {
    this.tree = tree
  }

  onCreate(path: string, bytes: number): void {
    const quota = quotaOf(path)
    if (quota?.file === LIMITS) this.limited.add(quota.path)
    if (quota?.file === STATS) this.recount(quota.path)
    this.add(path, bytes, 1)
  }

  onDelete(path: string, bytes: number): void {
    const quota = quotaOf(path)
    if (quota?.file === LIMITS) this.limited.delete(quota.path)
    this.add(path, -bytes, -1)
  }

  onData(path: string, bytes: number): void {
    this.add(path, bytes, 0)
  }

  /** Whether the hard limits of the quota in force there, if any, leave room. */
  allows(path: string, bytes: number, nodes: number): boolean {
    const prefix = this.prefixOf(path)
    if (prefix === undefined) return true
    const limits = this.read(prefix, LIMITS)
    const stats = this.read(prefix, STATS)
    return (
      within(limits.get("countHardLimit"), stats.get("count"), nodes) &&
      within(limits.get("byteHardLimit"), stats.get("bytes"), bytes)
    )
  }

  /** Finds the quotas of a tree that was put together elsewhere. */
  rebuild(): void {
    for (const [path] of this.tree.entries()) {
      const quota = quotaOf(path)
      if (quota?.file === LIMITS) this.limited.add(quota.path)
    }
  }

  private add(path: string, bytes: number, count: number): void {
    const prefix = this.prefixOf(path)
    if (prefix === undefined) return
    const stats = this.read(prefix, STATS)
    this.write(prefix, (stats.get("count") ?? -1) + count, (stats.get("bytes") ?? -1) + bytes)
  }

  private recount(prefix: string): void {
    let count = 0
    let bytes = 0
    const below = [prefix]
    for (let at = below.pop(); at !== undefined; at = below.pop()) {
      const node = this.tree.get(at)
      if (node === undefined) continue
      count++
      bytes += node.data?.length ?? 0
      for (const child of node.children) below.push(ZnodePath.join(at, child))
    }
    this.write(prefix, count, bytes)
  }

  /** The deepest path with limits at or above a path. */
  private prefixOf(path: string): string | undefined {
    if (this.limited.size === 0) return undefined
    if (this.limited.has(path)) return path
    return ZnodePath.ancestors(path).findLast((ancestor) => this.limited.has(ancestor))
  }

  private read(prefix: string, file: string): ReadonlyMap<string, number> {
    const data = this.tree.get(`${ROOT}${prefix}/${file}`)?.data
    const entries = new Map<string, number>()
    for (const pair of decoder.decode(data ?? undefined).split(/[,;]+/)) {
      const [key = "", value = ""] = pair.split("=")
      if (/^[+-]?\d+$/.test(value)) entries.set(key, Number(value))
    }
    return entries
  }

  private write(prefix: string, count: number, bytes: number): void {
    const node = this.tree.get(`${ROOT}${prefix}/${STATS}`)
    if (node !== undefined) node.data = encoder.encode(`count=${count},bytes=${bytes}`)
  }
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The path that a file of limits or stats is about. */
const quotaOf = (path: string): { readonly path: string; readonly file: string } | undefined => {
  if (!path.startsWith(ROOT)) return undefined
  const slash = path.lastIndexOf("/")
  const about = path.slice(ROOT.length, slash)
  return about === "" ? undefined : { path: about, file: path.slice(slash + 1) }
}

const within = (limit: number | undefined, now: number | undefined, more: number): boolean =>
  limit === undefined || limit < 0 || (now ?? 0) + more <= limit
