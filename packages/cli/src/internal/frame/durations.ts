/** Durations and sizes as people write them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { UsageError } from "./errors.ts"

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}

/**
 * `30s`, `5m`, `2h`, `7d`, and the words of Effect's durations, such as `30 seconds`. A number alone is none, except 0: the
 * tools of ZooKeeper mean milliseconds by it, and others seconds.
 */
export const parseDuration = (option: string, text: string): Effect.Effect<Duration.Duration, UsageError> => {
  const given = text.trim()
  const [, number = "", unit = ""] =
    /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w|)$/.exec(given) ??
    /^(\d+(?:\.\d+)?)\s+(second|minute|hour|day|week)s?$/.exec(given) ??
    []
  if (number === "") {
    return Effect.fail(
      new UsageError({
        message: `${option} ${JSON.stringify(text)} is no duration; write it as in 30s, 5m or "2 hours"`
      })
    )
  }
  if (unit === "" && Number(number) !== 0) {
    return Effect.fail(
      new UsageError({ message: `${option} ${given}: a duration needs a unit: ${given}ms or ${given}s` })
    )
  }
  return Effect.succeed(Duration.millis(Number(number) * (units[unit] ?? units[unit.charAt(0)] ?? 0)))
}

/** `100`, `4k`, `4KiB`, `1m`: powers of 1024. */
export const parseSize = (option: string, text: string): Effect.Effect<number, UsageError> => {
  const match = /^(\d+)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim())
  const power = { "": 0, k: 1, m: 2, g: 3 }[match?.[2]?.toLowerCase() ?? ""] ?? 0
  return match === null
    ? Effect.fail(
        new UsageError({ message: `${option} ${JSON.stringify(text)} is no size; write it as in 100, 4k or 1m` })
      )
    : Effect.succeed(Number(match[1]) * 1024 ** power)
}
