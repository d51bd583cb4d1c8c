/** Values and bytes for tests of codecs, made from the schemas of the records and from the table of operations. */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type { MultiOp, MultiResult } from "@effect-zookeeper/protocol/Operations"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

type AnyRecord = Schema.Schema<any>

/** Text that UTF-8 can hold: everything but lone surrogates. */
export const text: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x10ffff }))), {
    maxLength: 40
  }),
  (points) => String.fromCodePoint(...points).toWellFormed()
)

export const bytes: Arbitrary.Arbitrary<Uint8Array> = Arbitrary.schema(Schema.Uint8Array)

/** A number that tests derive their random choices from. */
export const seed: Arbitrary.Arbitrary<number> = Arbitrary.schema(
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))
)

/** A value with its elements or fields changed; bytes, and values without any, stay as they are. */
export const mapParts = (value: unknown, change: (part: unknown) => unknown): unknown => {
  if (Array.isArray(value)) return value.map(change)
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, change(field)]))
}

/** The wire tells no -0 from 0, and has no lone surrogates. */
const carried = (value: unknown): unknown => {
  if (value === 0) return 0
  return typeof value === "string" ? value.toWellFormed() : mapParts(value, carried)
}

/** Values of a record, as far as the wire can carry them. */
export const valuesOf = (schema: AnyRecord): Arbitrary.Arbitrary<any> =>
  Arbitrary.map(Arbitrary.schema(schema), carried)

const readOnly = Schema.UndefinedOr(Schema.Boolean)

/** All records, by the name of their export. */
export const records: ReadonlyArray<readonly [name: string, schema: AnyRecord]> = Object.entries(Records).filter(
  (entry): entry is [string, AnyRecord & (typeof entry)[1]] => Schema.isSchema(entry[1])
)

// Codecs are remembered by schema, so that the record of a codec can be found again without a second table.
const schemaOf = (codec: Jute.Codec<any>): AnyRecord | undefined =>
  records.find(([, schema]) => Jute.codec(schema) === codec)?.[1]

function valuesOfBody(codec: Jute.Codec<any>, members: () => Arbitrary.Arbitrary<any>): Arbitrary.Arbitrary<any> {
  if (codec === Jute.empty) return Arbitrary.Constant(undefined)
  const schema = schemaOf(codec)
  return schema === undefined ? members() : valuesOf(schema)
}

const oneOf = <A>(options: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(seed, (seed) => options[seed % options.length]!)

const members = { ...Operations.writes, ...Operations.reads }

function multiOps(): Arbitrary.Arbitrary<ReadonlyArray<MultiOp>> {
  const options = Object.entries(members).map(([operation, row]) =>
    Arbitrary.map(valuesOfBody(row.request, multiOps), (request) => ({ operation, request }) as MultiOp)
  )
  return Arbitrary.array(oneOf(options), { maxLength: 8 })
}

function multiResults(): Arbitrary.Arbitrary<ReadonlyArray<MultiResult>> {
  const errors = Arbitrary.map(Arbitrary.schema(Jute.Int), (error): MultiResult => ({ operation: "error", error }))
  const options = Object.entries(members).map(([operation, row]) =>
    Arbitrary.map(valuesOfBody(row.response, multiResults), (response) => ({ operation, response }) as MultiResult)
  )
  return Arbitrary.array(oneOf([errors, ...options]), { maxLength: 8 })
}

/** A codec and the values it must carry; `label` is its place in the table. */
export interface Subject {
  readonly label: string
  readonly codec: Jute.Codec<any>
  readonly values: Arbitrary.Arbitrary<any>
}

/** The request and the response of every row of the table. */
export const bodies: ReadonlyArray<Subject> = Operations.all.flatMap((row) => [
  { label: `${row.name} request`, codec: row.request, values: valuesOfBody(row.request, multiOps) },
  { label: `${row.name} response`, codec: row.response, values: valuesOfBody(row.response, multiResults) }
])

/** Both directions of the handshake. */
export const handshakes: ReadonlyArray<Subject> = [
  {
    label: "connect request",
    codec: Handshake.connectRequest,
    values: valuesOf(Schema.Struct({ ...Records.ConnectRequest.fields, readOnly }))
  },
  {
    label: "connect response",
    codec: Handshake.connectResponse,
    values: valuesOf(Schema.Struct({ ...Records.ConnectResponse.fields, readOnly }))
  }
]
