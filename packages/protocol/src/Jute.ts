/**
 * Jute, ZooKeeper's serialization, from Effect schemas.
 *
 * A record is a `Schema.Struct` whose fields have a wire type; the order of its fields is the order on the wire. `codec`
 * walks the schema once and compiles an encoder and a decoder from it: no Schema is parsed per frame, and the reader itself
 * validates. Every function here is pure: bytes in, plain values out.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { JuteError, within } from "./JuteError.ts"
import { JuteReader } from "./JuteReader.ts"
import { JuteWriter } from "./JuteWriter.ts"

type Primitive = "boolean" | "int" | "long" | "millis" | "buffer" | "ustring"

const annotation = "~effect-zookeeper/Jute"

const ownCodec = "~effect-zookeeper/Jute/direct"

declare module "effect/Schema" {
  namespace Annotations {
    interface Annotations {
      readonly "~effect-zookeeper/Jute"?: Primitive | undefined
      // oxlint-disable-next-line typescript/no-explicit-any -- of any type, which the schema knows
      readonly "~effect-zookeeper/Jute/direct"?: Direct<any> | undefined
    }
  }
}

// -----------------------------------------------------------------------------
// schemas
// -----------------------------------------------------------------------------

/**
 * A boolean of one byte, written as 0 or 1; any byte but 0 is read as true.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Boolean = Schema.Boolean.annotate({ [annotation]: "boolean" })

/**
 * A signed integer of four bytes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Int = Schema.Number.check(Schema.isInt32()).annotate({ [annotation]: "int" })

/**
 * A signed integer of eight bytes, as a bigint.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Long = Schema.BigInt.check(
  Schema.isBetweenBigInt({ minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n })
).annotate({ [annotation]: "long" })

/**
 * Milliseconds since 1970 in eight bytes, read as a number: the clocks of servers stay far below 2^53. A larger value is
 * rounded, and never becomes negative.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Millis = Schema.Number.check(Schema.isInt()).annotate({ [annotation]: "millis" })

/**
 * Bytes with their length in front. Decoding gives a view of the frame, not a copy.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Buffer = Schema.Uint8Array.annotate({ [annotation]: "buffer" })

/**
 * Text in UTF-8, with its length in bytes in front.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UString = Schema.String.annotate({ [annotation]: "ustring" })

/**
 * A buffer, string or vector that may be null, which has the length -1 on the wire.
 *
 * @category schemas
 * @since 0.1.0
 */
export const NullOr = <S extends Schema.Top>(schema: S): Schema.NullOr<S> => Schema.NullOr(schema)

/**
 * An array with the number of its elements in front.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Vector = <S extends Schema.Top>(element: S): Schema.$Array<S> => Schema.Array(element)

/**
 * A hand-written encoder, decoder, or both of a record.
 *
 * @category models
 * @since 0.1.0
 */
export interface Direct<in out A> {
  readonly write?: (writer: JuteWriter, value: A) => void
  readonly read?: (reader: JuteReader) => A
  /** The size in bytes, if all values have the same: `read` is called only when so many bytes are left. */
  readonly size?: number
}

/**
 * Gives a record a hand-written encoder or decoder. Use it for records on the path of every request: it is twice as fast as
 * the codec that is derived from the fields, and must agree with that byte by byte. Bytes that `read` cannot read are read
 * again by the derived decoder, whose error names the field.
 *
 * @category schemas
 * @since 0.1.0
 */
export const direct = <Fields extends Schema.Struct.Fields>(
  schema: Schema.Struct<Fields>,
  own: Direct<Schema.Struct.Type<Fields>>
): Schema.Struct<Fields> => schema.annotate({ [ownCodec]: own })

// -----------------------------------------------------------------------------
// codecs
// -----------------------------------------------------------------------------

/**
 * Writes and reads values of one type. Its functions throw `JuteError`; `decode` and `attempt` give a Result instead.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<A> {
  readonly write: (writer: JuteWriter, value: A) => void
  readonly read: (reader: JuteReader) => A
  /** The fewest bytes of a value, which limits how many elements of a vector a frame can hold. */
  readonly minimumSize: number
}

/**
 * The type of the values of a codec: `Value<typeof stat>`.
 *
 * @category models
 * @since 0.1.0
 */
export type Value<C> = C extends Codec<infer A> ? A : never

/**
 * The codec of a schema. It is compiled at the first call and then cached.
 *
 * It throws when the schema contains a type without a wire type: a mistake in the schema, not in any input.
 *
 * @example
 * ```ts
 * import * as Jute from "@effect-zookeeper/protocol/Jute"
 * import * as Schema from "effect/Schema"
 *
 * const member = Jute.codec(Schema.Struct({ id: Jute.Long, host: Jute.UString }))
 *
 * const bytes = Jute.encode(member, { id: 1n, host: "alpha" })
 * const decoded = Jute.decode(member, bytes)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const codec = <A>(schema: Schema.Schema<A>): Codec<A> => compiled(schema.ast) as Codec<A>

/**
 * The codec of requests and responses without a body.
 *
 * @example
 * ```ts
 * import * as Jute from "@effect-zookeeper/protocol/Jute"
 *
 * Jute.encode(Jute.empty, undefined).length // 0
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Codec<void> = { write: () => {}, read: () => {}, minimumSize: 0 }

/**
 * Encodes one value, without a frame around it. See `Frame.encode`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <A>(codec: Codec<A>, value: A): Uint8Array => {
  const writer = new JuteWriter()
  codec.write(writer, value)
  return writer.take()
}

/**
 * Decodes one value. It fails with `JuteError`, which names the field, and never throws. Bytes after the value are ignored,
 * as servers and clients of other versions ignore fields that they do not know.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = <A>(codec: Codec<A>, bytes: Uint8Array): Result.Result<A, JuteError> =>
  attempt(codec, new JuteReader(bytes))

/**
 * Decodes one value from a reader. It fails with `JuteError`, and never throws.
 *
 * @category decoding
 * @since 0.1.0
 */
export const attempt = <A>(codec: Codec<A>, reader: JuteReader): Result.Result<A, JuteError> => {
  try {
    return Result.succeed(codec.read(reader))
  } catch (error) {
    if (error instanceof JuteError) return Result.fail(error)
    throw error
  }
}

// -----------------------------------------------------------------------------
// internal: from AST to codec
// -----------------------------------------------------------------------------

// oxlint-disable-next-line typescript/no-explicit-any -- codecs of all types in one cache, whose key knows the type
type AnyCodec = Codec<any>

const cache = new WeakMap<SchemaAST.AST, AnyCodec>()

const compiled = (ast: SchemaAST.AST): AnyCodec => {
  const known = cache.get(ast)
  if (known !== undefined) return known
  const made = compile(ast)
  cache.set(ast, made)
  return made
}

const compile = (ast: SchemaAST.AST): AnyCodec => {
  const primitive = resolvePrimitive(ast)
  if (primitive === "buffer" || primitive === "ustring") return required(primitives[primitive])
  if (primitive !== undefined) return primitives[primitive]
  if (SchemaAST.isObjects(ast)) {
    const derived = record(ast)
    const own = resolveDirect(ast)
    return own === undefined ? derived : withOwnCodec(derived, own)
  }
  if (SchemaAST.isArrays(ast)) return required(vector(elementOf(ast)))
  if (SchemaAST.isUnion(ast)) return nullable(ast)
  throw new Error(`a schema of kind ${ast._tag} has no Jute wire type`)
}

const resolvePrimitive = SchemaAST.resolveAt<Primitive>(annotation)

// oxlint-disable-next-line typescript/no-explicit-any -- as with codecs
const resolveDirect = SchemaAST.resolveAt<Direct<any>>(ownCodec)

/** Codecs that accept null; `required` makes them refuse it. */
const primitives: Record<Primitive, AnyCodec> = {
  boolean: { write: (w, v) => w.boolean(v), read: (r) => r.boolean(), minimumSize: 1 },
  int: { write: (w, v) => w.int(v), read: (r) => r.int(), minimumSize: 4 },
  long: { write: (w, v) => w.long(v), read: (r) => r.long(), minimumSize: 8 },
  millis: {
    write: (w, v) => w.long(v < 2 ** 63 ? BigInt(v) : 2n ** 63n - 1n),
    read: (r) => r.millis(),
    minimumSize: 8
  },
  buffer: { write: (w, v) => w.buffer(v), read: (r) => r.buffer(), minimumSize: 4 },
  ustring: { write: (w, v) => w.ustring(v), read: (r) => r.ustring(), minimumSize: 4 }
}

const required = (codec: AnyCodec): AnyCodec => ({
  write: codec.write,
  minimumSize: codec.minimumSize,
  read: (reader) => {
    const value = codec.read(reader)
    if (value === null) throw reader.error("null where a value is required")
    return value
  }
})

const nullable = (ast: SchemaAST.Union): AnyCodec => {
  const types = ast.types.filter((type) => !SchemaAST.isNull(type))
  const [type] = types
  if (type === undefined || types.length !== 1) throw new Error("the only union in Jute is one with null")
  const primitive = resolvePrimitive(type)
  if (primitive === "buffer" || primitive === "ustring") return primitives[primitive]
  if (SchemaAST.isArrays(type)) return vector(elementOf(type))
  throw new Error(`a ${type._tag} cannot be null on the wire`)
}

const elementOf = (ast: SchemaAST.Arrays): SchemaAST.AST => {
  const [element] = ast.rest
  if (element === undefined || ast.elements.length > 0) throw new Error("Jute has vectors, but no tuples")
  return element
}

const vector = (element: SchemaAST.AST): AnyCodec => {
  const codec = compiled(element)
  const write: AnyCodec["write"] = (writer, values) => {
    if (values === null) {
      writer.int(-1)
      return
    }
    writer.int(values.length)
    for (let i = 0; i < values.length; i++) codec.write(writer, values[i])
  }
  if (resolvePrimitive(element) === "ustring") return { write, read: (reader) => reader.ustrings(), minimumSize: 4 }
  return {
    write,
    minimumSize: 4,
    read: (reader) => {
      const count = reader.count(codec.minimumSize)
      if (count < 0) return null
      const values = new Array(count)
      let at = 0
      try {
        for (; at < count; at++) values[at] = codec.read(reader)
      } catch (error) {
        throw within(`[${at}]`, error)
      }
      return values
    }
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- as with codecs
const withOwnCodec = (derived: AnyCodec, { read, size, write }: Direct<any>): AnyCodec => ({
  minimumSize: derived.minimumSize,
  write: write ?? derived.write,
  read: read === undefined ? derived.read : size === undefined ? orDerived(read, derived) : ofSize(size, read, derived)
})

/** If the hand-written decoder fails, the derived one reads the record again, and names the field in its error. */
const orDerived =
  (read: AnyCodec["read"], derived: AnyCodec): AnyCodec["read"] =>
  (reader) => {
    const start = reader.offset
    try {
      return read(reader)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      reader.rewind(start)
      return derived.read(reader)
    }
  }

/** The same for a record of a fixed size, where missing bytes are the only possible error. */
const ofSize =
  (size: number, read: AnyCodec["read"], derived: AnyCodec): AnyCodec["read"] =>
  (reader) =>
    reader.remaining < size ? derived.read(reader) : read(reader)

const record = (ast: SchemaAST.Objects): AnyCodec => {
  const fields = ast.propertySignatures.map((field) => ({ name: String(field.name), codec: compiled(field.type) }))
  return {
    minimumSize: fields.reduce((sum, field) => sum + field.codec.minimumSize, 0),
    write: (writer, value) => {
      for (const field of fields) field.codec.write(writer, value[field.name])
    },
    read: (reader) => {
      // Adding field by field takes a third less time than filling in a copy of a template. The order is always the same,
      // so all records of one schema share one shape.
      const value: Record<string, unknown> = {}
      let at = 0
      // One try for all fields is cheaper than one for each.
      try {
        for (; at < fields.length; at++) {
          const field = fields[at]!
          value[field.name] = field.codec.read(reader)
        }
      } catch (error) {
        throw within(fields[at]!.name, error)
      }
      return value
    }
  }
}
