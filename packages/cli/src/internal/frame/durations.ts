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

/** `30s`, `5m`, `2h`, `7d`, `30` (seconds), and the words of Effect's durations, such as `30 seconds`. */
export const parseDuration = (option: string, text: string): Effect.Effect<Duration.Duration, UsageError> => {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w|)$/.exec(text.trim())
  if (match !== null) return Effect.succeed(Duration.millis(Number(match[1]) * (units[match[2] || "s"] ?? 1000)))
  const words = /^(\d+(?:\.\d+)?)\s+(second|minute|hour|day|week)s?$/.exec(text.trim())
  const unit = words === null ? undefined : units[(words[2] ?? "").charAt(0)]
  return words === null || unit === undefined
    ? Effect.fail(
        new UsageError({
          message: `${option} ${JSON.stringify(text)} is no duration; write it as in 30s, 5m or "2 hours"`
        })
      )
    : Effect.succeed(Duration.millis(Number(words[1]) * unit))
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
