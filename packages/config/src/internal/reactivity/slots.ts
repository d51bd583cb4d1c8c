/** The keys of a `Reactivity`, and the slots that they belong to. */
import type * as Reactivity from "effect/reactivity/Reactivity"

/** Keys as the methods of the service take them. */
export type Keys = Parameters<Reactivity.Reactivity["invalidateUnsafe"]>[0]

/** A key that everything registers, so that all of it can be invalidated. */
export const everyKey = "~@effect-zookeeper/config/ZooKeeperReactivity/all"

/** A key that everything of a slot registers. */
export const slotKey = (slot: number): string => `~@effect-zookeeper/config/ZooKeeperReactivity/slot/${slot}`

/** The keys, with those of their slots. */
export const withSlots = (keys: Keys, slots: number): Keys => {
  const added = [everyKey, ...Array.from(slotsOf(keys, slots), slotKey)]
  if (isList(keys)) return [...keys, ...added]
  return { ...keys, ...Object.fromEntries(added.map((key) => [key, []])) }
}

/** The slots of the keys that have the same name in every process. */
export const slotsOf = (keys: Keys, slots: number): ReadonlySet<number> => {
  const found = new Set<number>()
  const add = (name: string | undefined) => {
    if (name !== undefined) found.add(hash(name) % slots)
  }
  if (isList(keys)) {
    for (const key of keys) add(nameOf(key))
    return found
  }
  for (const [key, ids] of Object.entries(keys)) {
    add(key)
    for (const id of ids) {
      const name = nameOf(id)
      add(name === undefined ? undefined : `${key}:${name}`)
    }
  }
  return found
}

// ---- internal

const isList = (keys: Keys): keys is ReadonlyArray<unknown> => Array.isArray(keys)

/** As Effect names it; undefined for a key whose hash may differ from process to process. */
const nameOf = (key: unknown): string | undefined => {
  switch (typeof key) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return String(key)
    default:
      return undefined
  }
}

/** FNV-1a of the UTF-16 units. It must never change, because processes of different versions share the slots. */
const hash = (name: string): number => {
  let value = 0x811c9dc5
  for (let index = 0; index < name.length; index++) value = Math.imul(value ^ name.charCodeAt(index), 0x01000193)
  return value >>> 0
}
