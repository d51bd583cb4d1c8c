/**
 * What `JSON.stringify` makes of answers and errors: 64-bit numbers, which JSON has none of, become decimal text.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * The properties of an object as JSON takes them: 64-bit numbers as decimal text.
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
 * Gives an object of one's own a way into JSON, and gives it back. It is hidden from loops, from a spread and from what
 * compares objects by their enumerable properties.
 *
 * @category converting
 * @since 0.1.0
 */
export const withJson = <A extends object>(value: A): A => Object.defineProperty(value, "toJSON", hidden)

/**
 * `Option.some` of a 64-bit number that JSON takes, in the form that it has for other Options. A spread of what holds it
 * keeps that.
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
