/**
 * A set of which there are many and which hold one element or none, nearly always: a Set takes two hundred bytes even when
 * it is empty.
 */
export class Few<A extends object> implements Iterable<A> {
  /** Nothing, the one element, or all of them. */
  private held: A | Set<A> | undefined = undefined

  get size(): number {
    const { held } = this
    return held === undefined ? 0 : held instanceof Set ? held.size : 1
  }

  add(element: A): void {
    const { held } = this
    if (held === undefined) this.held = element
    else if (held instanceof Set) held.add(element)
    else if (held !== element) this.held = new Set([held, element])
  }

  /** Whether it was there. */
  delete(element: A): boolean {
    const { held } = this
    if (held instanceof Set) return held.delete(element)
    if (held !== element) return false
    this.held = undefined
    return true
  }

  clear(): void {
    this.held = undefined
  }

  /** All elements, in the order in which they came; none of what is added meanwhile. */
  all(): ReadonlyArray<A> {
    const { held } = this
    return held === undefined ? nothing : held instanceof Set ? [...held] : [held]
  }

  [Symbol.iterator](): Iterator<A> {
    return this.all()[Symbol.iterator]()
  }
}

const nothing: ReadonlyArray<never> = []
