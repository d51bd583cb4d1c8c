/**
 * Values of the application as the data of znodes: the client's typed encoding, with the errors of recipes.
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZNode from "@effect-zookeeper/client/ZNode"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DataInvalid } from "../../Errors.ts"
import { toBytes } from "./bytes.ts"

export interface DataCodec<A> {
  readonly encode: (value: A) => Effect.Effect<Uint8Array, InvalidArgument>
  readonly decode: (path: string, data: Uint8Array) => Effect.Effect<A, DataInvalid>
}

/** By a Schema, encoded as JSON unless a codec says otherwise. */
export const makeDataCodec = <A, I>(
  schema: Schema.Codec<A, I>,
  codec?: ZNode.Codec<NoInfer<I>> | undefined
): DataCodec<A> => {
  const { decode, encode } = ZNode.dataCodec(schema, codec)
  return {
    // A copy as it is at the call: a Schema of bytes gives the caller's own buffer.
    encode: (value) => Effect.map(encode(value), toBytes),
    decode: (path, data) =>
      Effect.mapError(
        decode(path, data),
        ({ cause }) =>
          new DataInvalid({
            path,
            expected: `valid by its schema (${cause instanceof Error ? cause.message : String(cause)})`
          })
      )
  }
}

/**
 * The codec of a recipe whose `make` is overloaded: by the Schema of the options, or bytes as they are. The overloads say
 * that `A` is `Uint8Array` where there is no Schema.
 */
export const overloaded = <A, I>({ codec, schema }: SchemaOptions<A, I>): DataCodec<A> =>
  schema === undefined
    ? (makeDataCodec(Schema.Uint8Array, ZNode.bytes) as DataCodec<unknown> as DataCodec<A>)
    : makeDataCodec(schema, codec)

interface SchemaOptions<A, I> {
  readonly schema?: Schema.Codec<A, I> | undefined
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
}
