/**
 * Checks that options are an object with known keys. Otherwise a number in their place, or a misspelt name, would be ignored
 * silently: a delete of version 0 would delete any version.
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "./InvalidArgument.ts"

/**
 * The keys of a type of options, and an example of such options for error messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface KnownOptions<in out O> {
  readonly keys: { readonly [K in keyof O]-?: true }
  /** As text: `{ version: 0 }`. */
  readonly example: string
}

/**
 * Makes a check for a type of options. The compiler refuses a table that lacks a key or has one too many.
 *
 * @example
 * ```ts
 * import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
 *
 * interface DeleteOptions {
 *   readonly version?: number
 *   readonly idempotent?: boolean
 * }
 *
 * const deleteOptions = KnownOptions.make<DeleteOptions>({ version: true, idempotent: true }, "{ version: 0 }")
 *
 * KnownOptions.check(deleteOptions, 0)?.message // invalid options "0": must be an object, as in { version: 0 }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <O extends object>(
  keys: { readonly [K in keyof O]-?: true },
  example: string
): KnownOptions<O> => ({
  // Without a prototype, so that `constructor` is not a key.
  keys: Object.assign(Object.create(null), keys) as KnownOptions<O>["keys"],
  example
})

/**
 * The mistake in options, as an `InvalidArgument`; undefined if there is none. `undefined` are valid options. It is on the path
 * of requests: for valid options it allocates nothing.
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
      ? "a signal is a separate parameter, after all others, as in { signal }"
      : `there is no such option; the options are ${there}, as in ${known.example}`
  // Its value may be a secret.
  return new InvalidArgument({ argument, value: key, rule })
}

/** Describes a value without quoting text, which may be data or a secret. */
const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "string" || typeof value === "function" || typeof value === "symbol"
    ? `a ${typeof value}`
    : String(value)
}
