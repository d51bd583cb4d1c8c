/** A function to be called at a virtual time. */
export interface Timer {
  /** Virtual nanoseconds. */
  readonly at: number
  readonly order: number
  readonly fire: () => void
  /** It has fired or was cancelled. */
  done: boolean
}

/** The timers of a simulation: the earliest first and, among those of the same time, the oldest. */
export class TimerHeap {
  private readonly heap: Array<Timer> = []
  private added = 0
  private cancelled = 0

  /** How many will fire. */
  get size(): number {
    return this.heap.length - this.cancelled
  }

  add(at: number, fire: () => void): Timer {
    const timer = { at, order: this.added++, fire, done: false }
    this.heap.push(timer)
    this.up(this.heap.length - 1)
    return timer
  }

  cancel(timer: Timer): void {
    if (timer.done) return
    timer.done = true
    this.cancelled++
  }

  /** The next timer that will fire. */
  peek(): Timer | undefined {
    while (this.heap[0]?.done === true) {
      this.pop()
      this.cancelled--
    }
    return this.heap[0]
  }

  /** Removes the next timer, if it is due. From then on it cannot be cancelled. */
  takeDue(now: number): Timer | undefined {
    const first = this.peek()
    if (first === undefined || first.at > now) return undefined
    this.pop()
    first.done = true
    return first
  }

  private pop(): void {
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return
    this.heap[0] = last
    this.down(0)
  }

  private up(index: number): void {
    const { heap } = this
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(heap[parent]!, heap[index]!)) return
      swap(heap, parent, index)
      index = parent
    }
  }

  private down(index: number): void {
    const { heap } = this
    while (true) {
      const left = index * 2 + 1
      if (left >= heap.length) return
      const right = left + 1
      const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
      if (isBefore(heap[index]!, heap[child]!)) return
      swap(heap, child, index)
      index = child
    }
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

const swap = (heap: Array<Timer>, a: number, b: number): void => {
  const kept = heap[a]!
  heap[a] = heap[b]!
  heap[b] = kept
}
