/** A moment of a data directory as people write it. */
import * as Effect from "effect/Effect"
import { UsageError } from "../frame/errors.ts"

/** A zxid, or a time in milliseconds since 1970. */
export interface Moment {
  readonly zxid?: bigint
  readonly time?: number
}

/** `0x1f` is a zxid, and everything else a time, as in `2026-01-31T12:00:00Z`. Nothing is no moment. */
export const parseMoment = (text: string | undefined): Effect.Effect<Moment, UsageError> => {
  if (text === undefined) return Effect.succeed({})
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return Effect.succeed({ zxid: BigInt.asIntN(64, BigInt(text)) })
  const time = Date.parse(text)
  return Number.isNaN(time)
    ? Effect.fail(
        new UsageError({
          message: `${JSON.stringify(text)} is no moment; write a zxid as in 0x1f, or a time as in 2026-01-31T12:00:00Z`
        })
      )
    : Effect.succeed({ time })
}
