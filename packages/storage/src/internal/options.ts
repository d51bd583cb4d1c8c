/**
 * The options of this package: `KnownOptions` checks their names, and a rule for each of them its value. A value of another type
 * would decide something else than its caller means: `deletes: "false"` would delete.
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as DurationInput from "@effect-zookeeper/protocol/DurationInput"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ReadOptions } from "./snapshot/model.ts"

/** The mistake in the value of an option. */
export type Rule = (argument: string, value: unknown) => InvalidArgument | undefined

/** The rules of a type of options. */
export type Rules<O> = { readonly [K in keyof O]-?: Rule }

export interface OptionRules<in out O> {
  readonly known: KnownOptions.KnownOptions<O>
  readonly rules: ReadonlyMap<string, Rule>
}

/** The compiler refuses rules that lack an option or have one too many. */
export const make = <O extends object>(rules: Rules<O>, example: string): OptionRules<O> => {
  const keys = Object.fromEntries(Object.keys(rules).map((key) => [key, true]))
  return {
    known: KnownOptions.make<O>(keys as KnownOptions.KnownOptions<O>["keys"], example),
    rules: new Map(Object.entries<Rule>(rules))
  }
}

/** The first mistake in options; undefined if there is none. */
export const mistakeIn = <O>({ known, rules }: OptionRules<O>, options: unknown): InvalidArgument | undefined => {
  const mistake = KnownOptions.check(known, options)
  if (mistake !== undefined || options === undefined) return mistake
  for (const [key, value] of Object.entries(options as object)) {
    const wrong = value === undefined ? undefined : rules.get(key)?.(key, value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

export const checkOptions = <O>(rules: OptionRules<O>, options: unknown): Effect.Effect<void, InvalidArgument> =>
  refuseMistake(() => mistakeIn(rules, options))

/** Fails with the mistake that is found, if there is one. */
export const refuseMistake = (find: () => InvalidArgument | undefined): Effect.Effect<void, InvalidArgument> =>
  Effect.suspend(() => {
    const mistake = find()
    return mistake === undefined ? Effect.void : Effect.fail(mistake)
  })

// -----------------------------------------------------------------------------
// rules
// -----------------------------------------------------------------------------

const rule =
  (isValid: (value: unknown) => boolean, text: string): Rule =>
  (argument, value) =>
    isValid(value) ? undefined : new InvalidArgument({ argument, value: described(value), rule: text })

export const flag = rule((value) => typeof value === "boolean", "must be true or false")

export const callback = rule((value) => typeof value === "function", "must be a function")

/** Clients, of which the methods are looked at by those who call them. */
export const clients = rule(
  (value) => Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null && "session" in one),
  "must be an array of clients"
)

export const text = rule((value) => typeof value === "string" && value !== "", "must be a text that is not empty")

/** A time in milliseconds since 1970. */
export const time = rule(Number.isFinite, "must be a finite number: milliseconds since 1970")

export const zxid = rule((value) => typeof value === "bigint", "must be a bigint, as in 0x1fn")

/** A number of things that are done at a time, or one after the other. */
export const count = rule(
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  "must be a whole number, at least 1"
)

/** A limit from `least` on, which `Infinity` takes away. */
export const limit = (least: number): Rule =>
  rule(
    (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= least),
    `must be a whole number, at least ${least}, or Infinity`
  )

export const duration = rule((value) => {
  const millis = DurationInput.toMillis(value)
  return millis !== undefined && millis > 0 && Number.isFinite(millis)
}, 'must be a duration such as 500 (milliseconds) or "5 seconds", finite and above 0')

export const oneOf = (...values: ReadonlyArray<string>): Rule =>
  rule(
    (value) => typeof value === "string" && values.includes(value),
    `must be ${values.map((value) => JSON.stringify(value)).join(" or ")}`
  )

export const znodePath: Rule = (argument, value) =>
  typeof value === "string"
    ? Result.match(ZnodePath.validate(value, argument), { onFailure: (mistake) => mistake, onSuccess: () => undefined })
    : new InvalidArgument({ argument, value: described(value), rule: "must be a path, as in /app" })

/** The rules of all readers of files. */
export const reading: Rules<ReadOptions> = { maxRecordSize: limit(1) }

export const readOptions = make<ReadOptions>(reading, "{ maxRecordSize: 33_554_432 }")

// ---- internal

const described = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" || typeof value === "function" ? `a value of type ${typeof value}` : String(value)
}
