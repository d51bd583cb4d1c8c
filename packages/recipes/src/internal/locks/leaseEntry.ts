/** The data of a slot of a lease. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** The data of a slot that is taken; a free one is empty. */
export const LeaseEntry = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    identifier: Schema.String,
    /** Milliseconds. Required: without an end, a lease would never become free. */
    duration: Schema.Finite,
    /** Tells this write from all others. */
    nonce: Schema.String
  })
)
export type LeaseEntry = typeof LeaseEntry.Type

/** The entry of a slot; undefined for a free one, and for other data. */
export const parseEntry = (data: Uint8Array): LeaseEntry | undefined =>
  data.length === 0 ? undefined : Option.getOrUndefined(decode(new TextDecoder().decode(data)))

// ---- internal

const decode = Schema.decodeOption(LeaseEntry)
