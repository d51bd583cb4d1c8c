import * as Effect from "effect/Effect"

/**
 * Selects connections: those of a client, those to a server (`host:port`), or all if it is empty.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionFilter {
  readonly client?: string | undefined
  readonly server?: string | undefined
}

/**
 * A fault of the network, for the connections of its filter.
 *
 * - `Refuse`: new connections are refused.
 * - `AcceptAndHang`: new connections open, and no server answers on them.
 * - `Block`: nothing gets through in a direction, and no connection opens. Bytes that were sent arrive when the fault is
 *   removed, as with TCP. For one client or server it is a partition; `up` (to the server) or `down` alone makes a half-open
 *   connection.
 * - `CutAfter`: the first connection that carries so many more bytes in a direction is cut right after them. It happens
 *   once.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = ConnectionFilter &
  (
    | { readonly _tag: "Refuse" }
    | { readonly _tag: "AcceptAndHang" }
    | { readonly _tag: "Block"; readonly direction: "up" | "down" | "both" }
    | { readonly _tag: "CutAfter"; readonly direction: "up" | "down"; readonly bytes: number }
  )

interface Link {
  readonly client: string
  readonly server: string
}

/** Whether a filter includes a connection. */
export const concerns = (where: ConnectionFilter, link: Link): boolean =>
  (where.client === undefined || where.client === link.client) &&
  (where.server === undefined || where.server === link.server)

/** The current faults of a network, and the tasks that wait for one of them to be removed. */
export class ActiveFaults {
  private readonly faults = new Set<Fault>()
  /** How many bytes a `CutAfter` still lets through. */
  private readonly left = new Map<Fault, number>()
  private readonly waiting = new Set<() => void>()

  /** Returns a function that removes the fault, and says whether it was still there. */
  add(fault: Fault): () => boolean {
    // The same object may be injected twice.
    const added = { ...fault }
    this.faults.add(added)
    if (added._tag === "CutAfter") this.left.set(added, added.bytes)
    return () => this.remove(added)
  }

  clear(): void {
    this.faults.clear()
    this.left.clear()
    this.look()
  }

  has(tag: Fault["_tag"], link: Link): boolean {
    for (const fault of this.faults) if (fault._tag === tag && concerns(fault, link)) return true
    return false
  }

  /** Waits while a direction is blocked. */
  passable(link: Link, direction: "up" | "down" | "both"): Effect.Effect<void> {
    return Effect.suspend(() => (this.isBlocked(link, direction) ? this.untilPassable(link, direction) : Effect.void))
  }

  /** How many of the next `length` bytes get through, if the connection is to be cut within or right after them. */
  cutWithin(link: Link, direction: "up" | "down", length: number): number | undefined {
    let within: number | undefined
    for (const [fault, left] of this.left) {
      if (fault._tag !== "CutAfter" || fault.direction !== direction || !concerns(fault, link)) continue
      if (left > length) {
        this.left.set(fault, left - length)
        continue
      }
      within = Math.min(within ?? length, left)
      this.remove(fault)
    }
    return within
  }

  private isBlocked(link: Link, direction: "up" | "down" | "both"): boolean {
    for (const fault of this.faults) {
      if (fault._tag !== "Block" || !concerns(fault, link)) continue
      if (direction === "both" || fault.direction === "both" || fault.direction === direction) return true
    }
    return false
  }

  private untilPassable(link: Link, direction: "up" | "down" | "both"): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = () => {
        if (this.isBlocked(link, direction)) return
        this.waiting.delete(look)
        resume(Effect.void)
      }
      this.waiting.add(look)
      return Effect.sync(() => {
        this.waiting.delete(look)
      })
    })
  }

  private remove(fault: Fault): boolean {
    this.left.delete(fault)
    const removed = this.faults.delete(fault)
    this.look()
    return removed
  }

  private look(): void {
    for (const look of [...this.waiting]) look()
  }
}
