/**
 * Durations as applications write them, taken for what they say or not at all.
 *
 * Effect reads `NaN` and `{}` as no time: a lock with such a timeout would be tried once, and a wait be over at once. Here they
 * are no durations.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * Milliseconds, which may be fractions, negative or infinite; undefined for what is no duration. Numbers are milliseconds.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toMillis = (input: unknown): number | undefined => {
  if (!isInput(input)) return undefined
  const millis = Option.map(Duration.fromInput(input), Duration.toMillis)
  return Option.isSome(millis) && !Number.isNaN(millis.value) ? millis.value : undefined
}

/**
 * A duration in an error: as it was written, where that is short.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (input: unknown): string => {
  if (Duration.isDuration(input)) return Duration.format(input)
  return typeof input === "object" && input !== null ? "an object" : String(input)
}

// ---- internal

const isInput = (input: unknown): input is Duration.Input => {
  switch (typeof input) {
    case "number":
      return !Number.isNaN(input)
    case "bigint":
    case "string":
      return true
    case "object":
      return input !== null && (Duration.isDuration(input) || isComposed(input))
    default:
      return false
  }
}

const units: ReadonlyArray<keyof Duration.DurationObject> = [
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds"
]

/** `[seconds, nanoseconds]`, or an object of units with one at least, as those of Temporal are. */
const isComposed = (input: object): boolean => {
  if (Array.isArray(input)) return input.length === 2 && input.every(isNumber)
  const parts = units.map((unit) => (input as Duration.DurationObject)[unit]).filter((part) => part !== undefined)
  return (
    parts.length > 0 && parts.every(isNumber) && Object.keys(input).every((key) => units.some((unit) => unit === key))
  )
}

const isNumber = (part: unknown): boolean => typeof part === "number" && !Number.isNaN(part)
