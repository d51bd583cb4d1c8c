/** The clients that read live trees, to tell whether a tree would be written into itself. */
import type { LiveReader, TreeSource } from "./model.ts"

const readers = new WeakMap<object, LiveReader>()

/** The same source, whose client is remembered. */
export const withReader = <E, R>(zk: LiveReader, source: TreeSource<E, R>): TreeSource<E, R> => {
  readers.set(source, zk)
  return source
}

/** Undefined if the tree is not live. */
export const readerOf = <E, R>(source: TreeSource<E, R>): LiveReader | undefined => readers.get(source)
