/**
 * Getters that many objects share.
 *
 * The getters of an object literal are new functions each time. V8 keeps such functions, with all that they refer to, until
 * its next full collection of garbage: what they refer to is copied and kept by each of the small collections before. Objects
 * that come and go with each session therefore get theirs from here.
 *
 * Stability: low. It serves the packages of this project, and may change in any version.
 *
 * @since 0.1.0
 */

/**
 * The members of `M`, each with the function that reads it from the source.
 *
 * @category models
 * @since 0.1.0
 */
export type Readers<S, M> = { readonly [K in keyof M]: (source: S) => M[K] }

/**
 * Makes a function that adds getters to an object, and returns the object. Each access reads the member from the source anew.
 * The getters are enumerable, so that loops and spreads see them. The source is hidden.
 *
 * @example
 * ```ts
 * import * as Getters from "@effect-zookeeper/protocol/Getters"
 *
 * const addSize = Getters.make<Set<string>, { readonly size: number }>({ size: (names) => names.size })
 *
 * const names = new Set(["a"])
 * const info = addSize({ kind: "names" }, names)
 * names.add("b")
 * info.size // 2
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <S, M extends object>(
  readers: Readers<S, M>
): (<A extends object>(object: A, source: S) => A & M) => {
  const getters: PropertyDescriptorMap = {}
  for (const name in readers) {
    const read = readers[name]
    getters[name] = {
      enumerable: true,
      get(this: WithSource<S>) {
        return read(WithSource.sourceOf(this))
      }
    }
  }
  return <A extends object>(object: A, source: S): A & M => {
    // The constructor returns the object itself.
    Object.defineProperties(new WithSource(object, source), getters)
    // There is a getter for each reader, and so for each member of M.
    return object as A & M
  }
}

// ---- internal

// oxlint-disable-next-line typescript/no-extraneous-class -- a base whose constructor returns the object that it is given
class Given {
  constructor(object: object) {
    return object
  }
}

/**
 * Adds the source to a given object as a private field, which nothing that looks at the object finds: it may hold secrets. The
 * values of a WeakMap would be kept until a full collection of garbage.
 */
class WithSource<S> extends Given {
  readonly #source: S

  constructor(object: object, source: S) {
    super(object)
    this.#source = source
  }

  static sourceOf<S>(object: WithSource<S>): S {
    return object.#source
  }
}
