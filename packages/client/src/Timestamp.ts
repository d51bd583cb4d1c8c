/**
 * The times of servers as text, for packages on top.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/**
 * Milliseconds since 1970 as ISO 8601 in UTC. A time beyond the calendar is a number: `ctime` and `mtime` are 64-bit numbers.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (millis: number): string =>
  Option.match(DateTime.make(millis), { onNone: () => String(millis), onSome: DateTime.formatIso })
