/**
 * Quotas, as clients see them: `/zookeeper/quota/<path>/zookeeper_limits` sets the limits of a path, and the server keeps
 * the znode `zookeeper_stats` beside it up to date, without a new version or event.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Znode } from "./Znode.ts"

const ROOT = "/zookeeper/quota"
const LIMITS = "zookeeper_limits"
const STATS = "zookeeper_stats"

/** The tree, which contains the quotas. */
interface QuotaTree {
  readonly get: (path: string) => Znode | undefined
  readonly entries: () => Iterable<readonly [string, Znode]>
}

export class QuotaTracker {
  private readonly tree: QuotaTree
  private readonly limited = new Set<string>()

  constructor(tree: QuotaTree) {
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

  /**
   * The error code with which the quota of a path refuses a write: a hard limit would be exceeded, or its limits or stats
   * are malformed, on which a real server fails. Undefined if it does not refuse, or if there is no quota. Numbers below `least`
   * are no limits.
   */
  refusal(path: string, bytes: number, nodes: number, least: number): number | undefined {
    const prefix = this.prefixOf(path)
    const limitsNode = prefix === undefined ? undefined : this.tree.get(`${ROOT}${prefix}/${LIMITS}`)
    if (limitsNode === undefined) return undefined
    const limits = strictly(limitsNode.data)
    if (limits === undefined) return codes.MarshallingError
    const isCounted = nodes !== 0 && isAnyLimit(limits, "count", "countHardLimit", least)
    const isWeighed = bytes !== 0 && isAnyLimit(limits, "bytes", "byteHardLimit", least)
    const statsNode = this.tree.get(`${ROOT}${prefix}/${STATS}`)
    if ((!isCounted && !isWeighed) || statsNode === undefined) return undefined
    const stats = strictly(statsNode.data)
    if (stats === undefined) return codes.MarshallingError
    const isWithin =
      (!isCounted || within(limits.get("countHardLimit"), stats.get("count"), nodes, least)) &&
      (!isWeighed || within(limits.get("byteHardLimit"), stats.get("bytes"), bytes, least))
    return isWithin ? undefined : codes.QuotaExceeded
  }

  /** Finds the quotas of a copied tree. */
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

/** The path of a znode of limits or stats, and which of them it is; undefined for any other znode. */
const quotaOf = (path: string): { readonly path: string; readonly file: string } | undefined => {
  if (!path.startsWith(ROOT)) return undefined
  const slash = path.lastIndexOf("/")
  const about = path.slice(ROOT.length, slash)
  return about === "" ? undefined : { path: about, file: path.slice(slash + 1) }
}

const isAnyLimit = (limits: ReadonlyMap<string, number>, soft: string, hard: string, least: number): boolean =>
  (limits.get(soft) ?? -1) >= least || (limits.get(hard) ?? -1) >= least

const within = (limit: number | undefined, now: number | undefined, more: number, least: number): boolean =>
  limit === undefined || limit < least || (now ?? -1) + more <= limit

/** Limits or stats as a real server parses them; undefined for text on which Java's functions fail. */
const strictly = (data: Uint8Array | null): ReadonlyMap<string, number> | undefined => {
  if (data === null) return undefined
  const text = decoder.decode(data)
  const entries = new Map<string, number>()
  if (text === "" || /^[,;]+$/.test(text)) return entries
  for (const pair of text.replace(/[,;]+$/, "").split(/[,;]+/)) {
    // Java's `split` drops empty parts at the end.
    const [key, value] = pair.replace(/=+$/, "").split("=")
    if (key === undefined || value === undefined || !(value === "" || isLong(value))) return undefined
    entries.set(key, value === "" ? -1 : Number(value))
  }
  return entries
}

const isLong = (text: string): boolean =>
  /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text.replace(/^\+/, ""))) === BigInt(text.replace(/^\+/, ""))
