/**
 * multi and multiRead: many operations in one request. Writes are all or nothing; each read succeeds or fails by itself.
 *
 * The records of the operations inside are those of the table; the headers between them are defined here.
 *
 * @since 0.1.0
 */
import { codes } from "../../ErrorCode.ts"
import * as Jute from "../../Jute.ts"
import { within } from "../../JuteError.ts"
import type { JuteReader } from "../../JuteReader.ts"
import type { JuteWriter } from "../../JuteWriter.ts"
import * as Operation from "../../Operation.ts"
import * as Znode from "./znode.ts"
import * as Records from "../../Records.ts"

/**
 * The operations that a multi can have, by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const writes = {
  create: Znode.create,
  create2: Znode.create2,
  createContainer: Znode.createContainer,
  createTTL: Znode.createTTL,
  delete: Znode.deleteNode,
  setData: Znode.setData,
  check: Znode.check
} as const

/**
 * The operations that a multiRead can have, by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const reads = { getData: Znode.getData, getChildren: Znode.getChildren } as const

const members = { ...writes, ...reads } as const

type Members = typeof members

/**
 * One operation of a multi or multiRead and its request.
 *
 * @category models
 * @since 0.1.0
 */
export type MultiOp<Name extends keyof Members = keyof Members> = {
  readonly [N in Name]: { readonly operation: N; readonly request: Operation.Request<Members[N]> }
}[Name]

/**
 * The result of one operation of a multi. It names its own type, which may differ from that of the request: servers before
 * 3.7.2 and 3.8.2 answer a create2 with a create, and all servers answer createContainer and createTTL with a create2.
 * `error` 0 means that the operation was rolled back because another one failed, -2 that it was not run.
 *
 * @category models
 * @since 0.1.0
 */
export type MultiResult =
  | {
      readonly [N in keyof Members]: { readonly operation: N; readonly response: Operation.Response<Members[N]> }
    }[keyof Members]
  | { readonly operation: "error"; readonly error: number }

const ERROR = -1

const header = Jute.codec(Records.MultiHeader)
const errorResponse = Jute.codec(Records.ErrorResponse)

const byOpCode: ReadonlyMap<number, keyof Members> = new Map(
  (Object.keys(members) as ReadonlyArray<keyof Members>).map((name) => [members[name].opCode, name])
)

const requestCodec: Jute.Codec<ReadonlyArray<MultiOp>> = {
  minimumSize: header.minimumSize,
  write: (writer, ops) => {
    for (let index = 0; index < ops.length; index++) writeRequest(writer, ops[index]!)
    writeHeader(writer, ERROR, true, ERROR)
  },
  read: (reader) => readAll(reader, readRequest)
}

const responseCodec: Jute.Codec<ReadonlyArray<MultiResult>> = {
  minimumSize: header.minimumSize,
  write: (writer, results) => {
    for (let index = 0; index < results.length; index++) writeResult(writer, results[index]!)
    writeHeader(writer, ERROR, true, ERROR)
  },
  read: (reader) => readAll(reader, readResult)
}

/**
 * A transaction. If an operation fails, the reply has the code 0 and an error for each operation; another code is about the
 * whole request. Since ZooKeeper 3.4.
 *
 * @category operations
 * @since 0.1.0
 */
export const multi = Operation.make({
  name: "multi",
  opCode: 14,
  kind: "write",
  request: requestCodec,
  response: responseCodec,
  since: "3.4.0"
})

/**
 * Several reads in one request, only getData and getChildren. Their watch flags are ignored. Since ZooKeeper 3.6.
 *
 * @category operations
 * @since 0.1.0
 */
export const multiRead = Operation.make({
  name: "multiRead",
  opCode: 22,
  kind: "read",
  request: requestCodec,
  response: responseCodec,
  since: "3.6.0"
})

/**
 * The error that made a transaction fail, from a response at the position of `reader`; 0 if it succeeded. It reads no more
 * than necessary: the response of a transaction that succeeded begins with a result.
 *
 * @category decoding
 * @since 0.1.0
 */
export const failureOfMulti = (reader: JuteReader): number => {
  while (reader.remaining >= FAILED_RESULT) {
    const type = reader.int()
    const done = reader.boolean()
    reader.int()
    if (done || type !== ERROR) return 0
    const error = reader.int()
    // 0 was rolled back and -2 was not run, both because of another operation.
    if (error !== 0 && error !== codes.RuntimeInconsistency) return error
  }
  return 0
}

/** The bytes of a header and an error. */
const FAILED_RESULT = 13

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// The codecs of a name fit the requests and responses of that name; TypeScript cannot follow that through a union.
const rowOf = (name: keyof Members): Operation.Any => members[name]

const writeRequest = (writer: JuteWriter, op: MultiOp): void => {
  const row = rowOf(op.operation)
  writeHeader(writer, row.opCode, false, ERROR)
  row.request.write(writer, op.request)
}

const readRequest = (reader: JuteReader, type: number): MultiOp => {
  const name = nameOf(reader, type)
  return { operation: name, request: rowOf(name).request.read(reader) } as MultiOp
}

const writeResult = (writer: JuteWriter, result: MultiResult): void => {
  if (result.operation === "error") {
    writeHeader(writer, ERROR, false, result.error)
    errorResponse.write(writer, { err: result.error })
    return
  }
  const row = rowOf(result.operation)
  writeHeader(writer, row.opCode, false, 0)
  row.response.write(writer, result.response)
}

const readResult = (reader: JuteReader, type: number): MultiResult => {
  if (type === ERROR) return { operation: "error", error: errorResponse.read(reader).err }
  const name = nameOf(reader, type)
  return { operation: name, response: rowOf(name).response.read(reader) } as MultiResult
}

/** A header is written and read a hundred times in a request, so it is not made into an object. */
const writeHeader = (writer: JuteWriter, type: number, done: boolean, error: number): void => {
  writer.int(type)
  writer.boolean(done)
  writer.int(error)
}

const nameOf = (reader: JuteReader, type: number): keyof Members => {
  const name = byOpCode.get(type)
  if (name === undefined) throw reader.error(`operation ${type} cannot be in a multi`)
  return name
}

const readAll = <A>(reader: JuteReader, readOne: (reader: JuteReader, type: number) => A): Array<A> => {
  const all: Array<A> = []
  // Each header takes nine bytes of the frame, so a hostile server cannot make this loop for longer than its frame.
  try {
    for (;;) {
      // If bytes are missing, reading the record fails and names the field.
      if (reader.remaining < header.minimumSize) header.read(reader)
      const type = reader.int()
      const done = reader.boolean()
      reader.int()
      if (done) return all
      all.push(readOne(reader, type))
    }
  } catch (error) {
    throw within(`[${all.length}]`, error)
  }
}
