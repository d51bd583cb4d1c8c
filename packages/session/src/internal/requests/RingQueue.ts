/**
 * A FIFO queue in a ring buffer that grows: `push` and `shift` take constant time.
 */
export class RingQueue<A> {
  /** Of a length that is a power of two: a small one at first, for an idle session has two queues that stay empty. */
  private items: Array<A | undefined> = new Array(8)
  private head = 0
  private size = 0

  get length(): number {
    return this.size
  }

  /** The element at `index` from the head. */
  at(index: number): A | undefined {
    return index < this.size ? this.items[(this.head + index) & (this.items.length - 1)] : undefined
  }

  push(item: A): void {
    if (this.size === this.items.length) this.grow()
    this.items[(this.head + this.size) & (this.items.length - 1)] = item
    this.size++
  }

  shift(): A | undefined {
    if (this.size === 0) return undefined
    const item = this.items[this.head]
    this.items[this.head] = undefined
    this.head = (this.head + 1) & (this.items.length - 1)
    this.size--
    return item
  }

  /** Takes out the element at `index` from the head; those behind it move up. */
  remove(index: number): A | undefined {
    const all = this.drain()
    const [removed] = all.splice(index, 1)
    for (const item of all) this.push(item)
    return removed
  }

  /** Empties the queue and gives what was in it, head first. */
  drain(): Array<A> {
    const all: Array<A> = []
    for (let item = this.shift(); item !== undefined; item = this.shift()) all.push(item)
    return all
  }

  private grow(): void {
    const grown: Array<A | undefined> = new Array(this.items.length * 2)
    for (let i = 0; i < this.size; i++) grown[i] = this.at(i)
    this.items = grown
    this.head = 0
  }
}
