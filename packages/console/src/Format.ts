/**
 * Data as an application understands it: by a Schema, for the znodes of a path.
 *
 * @since 0.1.0
 */
import * as ZNode from "@effect-zookeeper/client/ZNode"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"

/**
 * A form in which the page shows the data of some znodes, beside text and hexadecimal numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Format {
  /** The name of the form on the page. */
  readonly name: string
  readonly matches: (path: string) => boolean
  /** The data as text, which is JSON where it can be. A failure is shown with its message. */
  readonly show: (path: string, data: Uint8Array) => Effect.Effect<string, { readonly message: string }>
}

/**
 * The form of a Schema, as `ZNode.make` takes it: data is JSON unless a codec says otherwise. The page shows the decoded value as
 * JSON, or the reason why the data does not fit. A `Redacted` value is shown as `<redacted>`.
 *
 * @example
 * ```ts
 * import { Format } from "@effect-zookeeper/console"
 * import * as Schema from "effect/Schema"
 *
 * export const flags = Format.make({
 *   name: "Flag",
 *   path: "/flags/:name",
 *   schema: Schema.Struct({ enabled: Schema.Boolean, percent: Schema.Int })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A, I>(options: {
  readonly name: string
  /** A path with parameters, such as `/flags/:name`. */
  readonly path: string
  readonly schema: Schema.Codec<A, I>
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
}): Format => {
  const { codec, name, schema } = options
  const data = ZNode.dataCodec(schema, codec)
  const parts = options.path.split("/")
  return {
    name,
    matches: (path) => {
      const names = path.split("/")
      return (
        names.length === parts.length && parts.every((part, index) => part.startsWith(":") || part === names[index])
      )
    },
    show: (path, bytes) => Effect.map(data.decode(path, bytes), toJson)
  }
}

// ---- internal

/** The decoded value and not what a Schema makes of it, which would be the text of a secret. */
const toJson = (value: unknown): string => JSON.stringify(value, plain, 2) ?? String(value)

const plain = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value instanceof Uint8Array ? Base64.encode(value) : value
