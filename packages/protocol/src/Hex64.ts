/**
 * Numbers of 64 bits, such as zxids and the ids of sessions, as servers log them: `0x100000002`.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * The digits alone, as in the names of files. Negative numbers are those above 2^63, as servers see them.
 *
 * @category formatting
 * @since 0.1.0
 */
export const digits = (value: bigint): string => BigInt.asUintN(64, value).toString(16)

/**
 * The digits after `0x`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (value: bigint): string => `0x${digits(value)}`

/**
 * What {@link format} writes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Text = Schema.String.check(Schema.isPattern(/^0x[0-9a-f]{1,16}$/))

/**
 * A signed `bigint`, as records have it, which is {@link Text} in JSON.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromString = Text.pipe(
  Schema.decodeTo(
    Schema.BigInt,
    SchemaTransformation.transform({ decode: (text) => BigInt.asIntN(64, BigInt(text)), encode: format })
  )
)
