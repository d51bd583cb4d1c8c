/** An element with a name that no other element of the set has. */
interface Named {
  readonly name: string
}

/**
 * An immutable set of objects that are found by their names. A change shares all but a few nodes with the set before.
 *
 * It is a trie over the hashes of the names, as Effect's HashMap is, but the elements are its leaves themselves. A HashMap has
 * an object of its own for each, with which a cached znode took 50 bytes more.
 */
export class NamedSet<A extends Named> implements Iterable<A> {
  readonly size: number
  private readonly root: A | Inner<A> | undefined

  private constructor(root: A | Inner<A> | undefined, size: number) {
    this.root = root
    this.size = size
  }

  static readonly empty: NamedSet<never> = new NamedSet<never>(undefined, 0)

  get(name: string): A | undefined {
    const hash = hashOf(name)
    let at = this.root
    for (let shift = 0; at instanceof Inner; shift += BITS) {
      if (shift > MAX_SHIFT) at = at.slots.find((slot) => !(slot instanceof Inner) && slot.name === name)
      else {
        const bit = bitOf(hash, shift)
        at = (at.bitmap & bit) === 0 ? undefined : at.slots[indexOf(at.bitmap, bit)]
      }
    }
    return at?.name === name ? at : undefined
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** The set with an element, in the place of the one that has its name. */
  with(element: A): NamedSet<A> {
    const { name } = element
    return new NamedSet(putAt(this.root, hashOf(name), 0, element), this.has(name) ? this.size : this.size + 1)
  }

  /** The set without the element of this name. */
  without(name: string): NamedSet<A> {
    if (!this.has(name)) return this
    return this.size === 1 ? NamedSet.empty : new NamedSet(removeAt<A>(this.root, hashOf(name), 0, name), this.size - 1)
  }

  [Symbol.iterator](): Iterator<A> {
    return leavesOf<A>(this.root)
  }
}

// ---- internal

/** How many bits of the hash choose the slot of a node. */
const BITS = 5

/** The last of the bits. The names in a node below have one hash: they are looked for one by one. */
const MAX_SHIFT = 30

/** A node that is not a leaf. It has slots only for those values of its bits that occur: the ones in the bitmap. */
class Inner<A> {
  readonly bitmap: number
  readonly slots: ReadonlyArray<A | Inner<A>>

  constructor(bitmap: number, slots: ReadonlyArray<A | Inner<A>>) {
    this.bitmap = bitmap
    this.slots = slots
  }
}

const putAt = <A extends Named>(
  at: A | Inner<A> | undefined,
  hash: number,
  shift: number,
  element: A
): A | Inner<A> => {
  if (at === undefined) return element
  if (!(at instanceof Inner)) {
    if (at.name === element.name) return element
    return putAt(putAt(new Inner<A>(0, []), hashOf(at.name), shift, at), hash, shift, element)
  }
  const { bitmap, slots } = at
  if (shift > MAX_SHIFT) {
    const others = slots.filter((slot) => slot instanceof Inner || slot.name !== element.name)
    return new Inner(0, [...others, element])
  }
  const bit = bitOf(hash, shift)
  const index = indexOf(bitmap, bit)
  if ((bitmap & bit) === 0) return new Inner(bitmap | bit, slots.toSpliced(index, 0, element))
  return new Inner(bitmap, slots.with(index, putAt(slots[index], hash, shift + BITS, element)))
}

/** The name is there. */
const removeAt = <A extends Named>(
  at: A | Inner<A> | undefined,
  hash: number,
  shift: number,
  name: string
): A | Inner<A> | undefined => {
  if (!(at instanceof Inner)) return undefined
  const { bitmap, slots } = at
  if (shift > MAX_SHIFT)
    return lifted(
      0,
      slots.filter((slot) => slot instanceof Inner || slot.name !== name)
    )
  const bit = bitOf(hash, shift)
  const index = indexOf(bitmap, bit)
  const below = removeAt(slots[index], hash, shift + BITS, name)
  return below === undefined
    ? lifted(bitmap & ~bit, slots.toSpliced(index, 1))
    : lifted(bitmap, slots.with(index, below))
}

/** A node with these slots; a leaf that is alone takes its place. */
const lifted = <A>(bitmap: number, slots: ReadonlyArray<A | Inner<A>>): A | Inner<A> | undefined => {
  const [first] = slots
  return slots.length > 1 || first instanceof Inner ? new Inner(bitmap, slots) : first
}

function* leavesOf<A>(at: A | Inner<A> | undefined): IterableIterator<A> {
  if (at instanceof Inner) for (const slot of at.slots) yield* leavesOf(slot)
  else if (at !== undefined) yield at
}

const bitOf = (hash: number, shift: number): number => 1 << ((hash >>> shift) & 31)

/** How many bits of the bitmap are below this one. */
const indexOf = (bitmap: number, bit: number): number => {
  let bits = bitmap & (bit - 1)
  bits -= (bits >>> 1) & 0x55555555
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** FNV-1a, with its high bits mixed into the low ones, which choose the first slots. */
const hashOf = (name: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash ^ (hash >>> 15)
}
