/**
 * Checks durations in options.
 *
 * Effect reads `NaN` and `{}` as zero: a lock with such a timeout would be tried only once, and a wait would end at once.
 * Here they are invalid.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * The milliseconds of a duration, which may be a fraction, negative or infinite; undefined for an invalid duration. A number
 * is taken as milliseconds.
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
 * A duration as text for an error message: as it was written, if that is short.
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

/** `[seconds, nanoseconds]`, or an object with at least one unit, as Temporal has them. */
const isComposed = (input: object): boolean => {
  if (Array.isArray(input)) return input.length === 2 && input.every(isNumber)
  const parts = units.map((unit) => (input as Duration.DurationObject)[unit]).filter((part) => part !== undefined)
  return (
    parts.length > 0 && parts.every(isNumber) && Object.keys(input).every((key) => units.some((unit) => unit === key))
  )
}

const isNumber = (part: unknown): boolean => typeof part === "number" && !Number.isNaN(part)
