/** A running hash of everything that decides a run: two runs with the same hash were the same. */
export class TraceHash {
  private high = 0x1b873593
  private low = 0x811c9dc5

  /** Adds the lowest 32 bits of a number. */
  add(value: number): void {
    this.high = Math.imul(this.high ^ value, 0x5f356495) ^ (this.low >>> 15)
    this.low = Math.imul(this.low ^ value, 0x01000193) ^ (this.high >>> 13)
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i))
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return hex(this.high) + hex(this.low)
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
