/**
 * A set that is nothing but its element as long as it has one, and undefined as long as it has none. There are many of these
 * sets, nearly all of them with one element, and a Set takes two hundred bytes even if it is empty.
 */
export type SmallSet<A extends object> = A | Set<A> | undefined

export const sizeOf = <A extends object>(set: SmallSet<A>): number =>
  set === undefined ? 0 : set instanceof Set ? set.size : 1

/** The set with one more element. */
export const withElement = <A extends object>(set: SmallSet<A>, element: A): SmallSet<A> => {
  if (set === undefined) return element
  if (set instanceof Set) return set.add(element)
  return set === element ? set : new Set([set, element])
}

/** The set without an element. */
export const withoutElement = <A extends object>(set: SmallSet<A>, element: A): SmallSet<A> => {
  if (!(set instanceof Set)) return set === element ? undefined : set
  set.delete(element)
  return set.size === 0 ? undefined : set
}

export const hasElement = <A extends object>(set: SmallSet<A>, element: A): boolean =>
  set instanceof Set ? set.has(element) : set === element

/** All elements, in the order in which they came; none of what is added later. */
export const elementsOf = <A extends object>(set: SmallSet<A>): ReadonlyArray<A> =>
  set === undefined ? nothing : set instanceof Set ? [...set] : [set]

const nothing: ReadonlyArray<never> = []
