/**
 * Makes replies and errors fit for `JSON.stringify`: 64-bit numbers, which JSON does not have, become decimal text.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * The properties of an object with 64-bit numbers as decimal text.
 *
 * @category converting
 * @since 0.1.0
 */
export const jsonOf = (value: object): Record<string, unknown> => {
  const json: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) json[key] = typeof member === "bigint" ? String(member) : member
  return json
}

/**
 * Adds a `toJSON` to an object, and returns the object. The method is not enumerable, so that loops, spreads and comparisons
 * do not see it.
 *
 * @category converting
 * @since 0.1.0
 */
export const withJson = <A extends object>(value: A): A => Object.defineProperty(value, "toJSON", hidden)

/**
 * `Option.some` of a 64-bit number, which `JSON.stringify` writes in the form of other Options. A spread of the object that
 * has it as a field keeps that.
 *
 * @category converting
 * @since 0.1.0
 */
export const someLong = (value: bigint): Option.Option<bigint> =>
  Object.defineProperty(Option.some(value), "toJSON", hiddenLong)

// ---- internal

const hidden: PropertyDescriptor = {
  enumerable: false,
  configurable: true,
  writable: true,
  value(this: object) {
    return jsonOf(this)
  }
}

const hiddenLong: PropertyDescriptor = {
  ...hidden,
  value(this: Option.Some<bigint>) {
    return { _id: "Option", _tag: "Some", value: String(this.value) }
  }
}
