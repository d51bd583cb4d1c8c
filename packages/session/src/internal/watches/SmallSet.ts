/**
 * A set that is optimized for one element or none. There are many of these sets, and a Set takes two hundred bytes even if it
 * is empty.
 */
export class SmallSet<A extends object> implements Iterable<A> {
  /** Nothing, the one element, or all of them. */
  private elements: A | Set<A> | undefined = undefined

  get size(): number {
    const { elements } = this
    return elements === undefined ? 0 : elements instanceof Set ? elements.size : 1
  }

  add(element: A): void {
    const { elements } = this
    if (elements === undefined) this.elements = element
    else if (elements instanceof Set) elements.add(element)
    else if (elements !== element) this.elements = new Set([elements, element])
  }

  /** Whether it was there. */
  delete(element: A): boolean {
    const { elements } = this
    if (elements instanceof Set) return elements.delete(element)
    if (elements !== element) return false
    this.elements = undefined
    return true
  }

  clear(): void {
    this.elements = undefined
  }

  /** All elements, in the order in which they came; none of what is added meanwhile. */
  all(): ReadonlyArray<A> {
    const { elements } = this
    return elements === undefined ? nothing : elements instanceof Set ? [...elements] : [elements]
  }

  [Symbol.iterator](): Iterator<A> {
    return this.all()[Symbol.iterator]()
  }
}

/** A set that stays empty, in the place of sets that nothing was added to yet: `withElement` makes those. */
export const emptySet: SmallSet<never> = new SmallSet<never>()

/** The set with one more element; a new one in the place of `emptySet`. */
export const withElement = <A extends object>(set: SmallSet<A>, element: A): SmallSet<A> => {
  const own = set === emptySet ? new SmallSet<A>() : set
  own.add(element)
  return own
}

const nothing: ReadonlyArray<never> = []
