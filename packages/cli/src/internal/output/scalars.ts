/** Zxids and times in JSON. `Output` has them for programs. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Timestamp from "@effect-zookeeper/client/Timestamp"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * 64 bits as a hexadecimal string, such as `"0x100000002"`: a zxid, or the id of a session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Hex = Hex64.FromString

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
export const formatHex: (value: bigint) => string = Hex64.format

/**
 * Milliseconds since 1970 as ISO 8601 in UTC. A time that JavaScript cannot express is a number.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatTime: (millis: number) => string = Timestamp.format
