/** Zxids, session ids and times in JSON. `Output` has them for programs. */
import * as Timestamp from "@effect-zookeeper/client/Timestamp"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * 64 bits as a hexadecimal string, such as `"0x100000002"`: a zxid, or the id of a session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Hex = Schema.String.check(Schema.isPattern(/^0x[0-9a-f]{1,16}$/)).pipe(
  Schema.decodeTo(
    Schema.BigInt,
    SchemaTransformation.transform({
      decode: (text) => BigInt.asIntN(64, BigInt(text)),
      encode: (value) => formatHex(value)
    })
  )
)

/**
 * Milliseconds since 1970, as an ISO 8601 string in UTC.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Time = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transform({ decode: (text) => Date.parse(text), encode: (millis) => formatTime(millis) })
  )
)

/**
 * 64 bits in hexadecimal, as servers log zxids and session ids.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatHex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`

/**
 * Milliseconds since 1970 as ISO 8601 in UTC. A time that JavaScript cannot express is a number.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatTime: (millis: number) => string = Timestamp.format
