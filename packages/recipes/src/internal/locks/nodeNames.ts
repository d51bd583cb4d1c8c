/** Names of the znodes of contenders, in our layout and in those of other clients that may share a path with us. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"

/**
 * Names of the contenders' znodes. Every layout is understood, whichever is chosen: several clients can share a path as
 * far as each of them understands the others.
 *
 * - `curator`: `_c_<uuid>-lock-0000000007`, of Apache Curator; the default.
 * - `go`: `_c_<32 hex>-lock-0000000007`, of go-zookeeper.
 * - `kazoo`: `<32 hex>__lock__0000000007`, of kazoo.
 * - `aiozk`: `lock-<32 hex>-0000000007`, of aiozk.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "go" | "kazoo" | "aiozk"

/** Labels of one kind of contender: the text before the number, in each layout. */
export interface ContenderKind {
  readonly curator: string
  readonly kazoo: string
  /** An id is between this and the number. */
  readonly aiozk: string
}

/** A znode in a queue of contenders. */
export interface ContenderNode {
  readonly name: string
  /** The key of its kind. */
  readonly kind: string
  readonly sequence: number
}

export const lockKind: ContenderKind = { curator: "lock-", kazoo: "__lock__", aiozk: "lock" }
export const readKind: ContenderKind = { curator: "__READ__", kazoo: "__rlock__", aiozk: "read" }
export const writeKind: ContenderKind = { curator: "__WRIT__", kazoo: "__lock__", aiozk: "write" }
export const latchKind: ContenderKind = { curator: "latch-", kazoo: "__lock__", aiozk: "candidate" }
export const leaseKind: ContenderKind = { curator: "lease-", kazoo: "__lease__", aiozk: "lease" }

/** The name that a create sends; the server appends the number. */
export const nodeName = (layout: Layout, kind: ContenderKind, id: string): string => {
  const hex = id.replaceAll("-", "")
  return {
    curator: `_c_${id}-${kind.curator}`,
    go: `_c_${hex}-${kind.curator}`,
    kazoo: `${hex}${kind.kazoo}`,
    aiozk: `${kind.aiozk}-${hex}-`
  }[layout]
}

/**
 * The contenders among the children of a path, in order of arrival, by the names of every layout; other children are left
 * out.
 */
export const parseContenders = (
  children: ReadonlyArray<string>,
  kinds: Readonly<Record<string, ContenderKind>>
): ReadonlyArray<ContenderNode> => {
  const contenders: Array<ContenderNode> = []
  for (const name of children) {
    for (const kind in kinds) {
      const sequence = parseSequence(name, kinds[kind]!)
      if (sequence === undefined) continue
      contenders.push({ name, kind, sequence })
      break
    }
  }
  return inOrder(contenders)
}

/**
 * By the order of arrival. Numbers are on a circle, which is cut behind its widest gap. For numbers less than 2^31 apart
 * that is the order of `ZnodePath.compareSequence`; for all others it is one order that every client computes alike.
 */
const inOrder = (contenders: ReadonlyArray<ContenderNode>): ReadonlyArray<ContenderNode> => {
  const numbers = contenders.map(({ sequence }) => sequence >>> 0).toSorted((a, b) => a - b)
  let first = 0
  let widest = -1
  for (const [index, number] of numbers.entries()) {
    const gap = (number - numbers.at(index - 1)!) >>> 0
    if (gap > widest) {
      widest = gap
      first = number
    }
  }
  // Two contenders with one number are a writer and the reader that it becomes, in this order.
  return contenders.toSorted(
    (a, b) => ((a.sequence - first) >>> 0) - ((b.sequence - first) >>> 0) || (a.kind < b.kind ? 1 : -1)
  )
}

const parseSequence = (name: string, { aiozk, curator, kazoo }: ContenderKind): number | undefined =>
  ZnodePath.sequence(name, curator) ??
  ZnodePath.sequence(name, kazoo) ??
  // An aiozk name is the label, a dash, 32 hexadecimal digits and another dash.
  (name.startsWith(`${aiozk}-`) ? ZnodePath.sequence(name, name.slice(0, aiozk.length + 34)) : undefined)
