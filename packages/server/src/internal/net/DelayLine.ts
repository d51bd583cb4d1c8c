/** Bytes on their way to a peer, which arrive later and in their order. */

interface Delayed {
  /** Monotonic milliseconds. */
  readonly at: number
  /** Undefined for the end of the connection. */
  readonly bytes: Uint8Array | undefined
}

export class DelayLine {
  private entries: Array<Delayed> = []

  /** Nothing overtakes what was added before, also when the latency has become shorter. */
  add(at: number, bytes: Uint8Array | undefined): void {
    this.entries.push({ at: Math.max(at, this.entries.at(-1)?.at ?? at), bytes })
  }

  /** When the first of them arrive; undefined if there are none. */
  get nextDue(): number | undefined {
    return this.entries[0]?.at
  }

  /** Takes out all that have arrived by now. */
  take(now: number): ReadonlyArray<Uint8Array | undefined> {
    const isLater = ({ at }: Delayed) => at > now
    const index = this.entries.findIndex(isLater)
    const due = index === -1 ? this.entries : this.entries.slice(0, index)
    this.entries = index === -1 ? [] : this.entries.slice(index)
    return due.map(({ bytes }) => bytes)
  }

  clear(): void {
    this.entries = []
  }
}
