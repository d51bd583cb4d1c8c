/**
 * What options may be: an object with keys that are known. A number or text in their place, or a name with a slip of the
 * pen, would be ignored without a word otherwise, and a delete of version 0 would delete any version.
 *
 * ```ts
 * const deleteOptions = KnownOptions.make<DeleteOptions>({ version: true, idempotent: true }, "{ version: 0 }")
 *
 * KnownOptions.check(deleteOptions, 0)?.message // invalid options "0": must be an object, as in { version: 0 }
 * ```
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "./InvalidArgument.ts"

/**
 * The keys of a type of options, and how such options look.
 *
 * @category models
 * @since 0.1.0
 */
export interface KnownOptions<in out O> {
  readonly keys: { readonly [K in keyof O]-?: true }
  readonly example: string
}

/**
 * Names the keys of a type of options. The compiler refuses a table that lacks one or has one too many.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <O extends object>(
  keys: { readonly [K in keyof O]-?: true },
  example: string
): KnownOptions<O> => ({
  // Without a prototype, so that `constructor` is no key.
  keys: Object.assign(Object.create(null), keys) as KnownOptions<O>["keys"],
  example
})

/**
 * What is wrong with options, if anything; `undefined` stands for none. On the path of requests: where nothing is wrong,
 * nothing is made.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = <O>(
  known: KnownOptions<O>,
  options: unknown,
  argument = "options"
): InvalidArgument | undefined => {
  if (options === undefined) return undefined
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const rule = `must be an object, as in ${known.example}`
    return new InvalidArgument({ argument, value: kindOf(options), rule })
  }
  for (const key in options) {
    if (!(key in known.keys)) return unknownKey(known, argument, key)
  }
  return undefined
}

// ---- internal

const unknownKey = <O>(known: KnownOptions<O>, argument: string, key: string): InvalidArgument => {
  const there = Object.keys(known.keys).join(", ")
  const rule =
    key === "signal"
      ? "a signal goes into a parameter of its own, after all others, as in { signal }"
      : `there is no such option; there are ${there}, as in ${known.example}`
  // Its value may be a secret.
  return new InvalidArgument({ argument, value: key, rule })
}

/** Says what it is without telling a text, which may be data or a secret. */
const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "string" || typeof value === "function" || typeof value === "symbol"
    ? `a ${typeof value}`
    : String(value)
}
