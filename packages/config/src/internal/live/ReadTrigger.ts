/** Tells when a sub-tree has to be read: after a change, and where there may have been one. */
import type * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

export class ReadTrigger {
  private readonly latch = Latch.makeUnsafe(true)
  private isHeldBack = false

  /** Waits until a read is due. */
  get await(): Effect.Effect<void> {
    return this.latch.await
  }

  /** A read begins, which sees all changes so far. */
  begin(): void {
    this.isHeldBack = false
    this.latch.closeUnsafe()
  }

  /** There may have been a change: after an outage, or where nothing tells of changes. */
  onGap(): void {
    if (!this.isHeldBack) this.latch.openUnsafe()
  }

  /** A znode has changed, or it is time. */
  open(): void {
    this.latch.openUnsafe()
  }

  /** Until the next read gaps are no reason for one. Nor is what came during the last read, which causes gaps itself. */
  holdBack(): void {
    this.isHeldBack = true
    this.latch.closeUnsafe()
  }
}
