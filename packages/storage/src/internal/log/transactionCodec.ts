/** The bytes of one transaction. */
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as Schema from "effect/Schema"
import type { Change, SimpleChange, Transaction } from "../../Transaction.ts"

/** The op codes of transactions. */
const Type = {
  create: 1,
  delete: 2,
  setData: 5,
  setAcl: 7,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  createSession: -10,
  closeSession: -11,
  error: -1
} as const

const header = Jute.codec(
  Schema.Struct({ session: Jute.Long, cxid: Jute.Int, zxid: Jute.Long, time: Jute.Millis, type: Jute.Int })
)

const acl = Jute.NullOr(Jute.Vector(Records.Acl))
const znode = { path: Jute.UString, data: Jute.NullOr(Jute.Buffer), acl }

/** ZooKeeper 3.3 wrote no more than these fields; later versions have `parentCversion` after them. */
const create = Jute.codec(Schema.Struct({ ...znode, ephemeral: Jute.Boolean }))
const createContainer = Jute.codec(Schema.Struct({ ...znode, parentCversion: Jute.Int }))
const createTtl = Jute.codec(Schema.Struct({ ...znode, parentCversion: Jute.Int, ttl: Jute.Long }))
const remove = Jute.codec(Schema.Struct({ path: Jute.UString }))
const setData = Jute.codec(Schema.Struct({ path: Jute.UString, data: Jute.NullOr(Jute.Buffer), version: Jute.Int }))
const setAcl = Jute.codec(Schema.Struct({ path: Jute.UString, acl, version: Jute.Int }))
const check = Jute.codec(Schema.Struct({ path: Jute.UString, version: Jute.Int }))
const multi = Jute.codec(Schema.Struct({ changes: Jute.Vector(Schema.Struct({ type: Jute.Int, body: Jute.Buffer })) }))
const paths = Jute.codec(Jute.NullOr(Jute.Vector(Jute.UString)))

/** A version and a long. */
const DIGEST_SIZE = 12

/** Decodes a transaction that fills `bytes[start..end)`. Throws `JuteError`. */
export const decodeTransaction = (
  bytes: Uint8Array,
  start: number,
  end: number
): Omit<Transaction, "offset" | "size"> => {
  const reader = new JuteReader(bytes, start, end)
  const { cxid, session, time, type, zxid } = header.read(reader)
  const change = readChange(reader, type)
  const digest = reader.remaining === 0 ? undefined : readDigest(reader)
  return { zxid, time, session, cxid, change, digest }
}

const readDigest = (reader: JuteReader): { readonly version: number; readonly value: bigint } => {
  if (reader.remaining !== DIGEST_SIZE) throw reader.error(`${reader.remaining} bytes after the transaction`)
  return { version: reader.int(), value: reader.long() }
}

const readChange = (reader: JuteReader, type: number): Change => {
  switch (type) {
    case Type.createSession:
      return { _tag: "CreateSession", timeout: reader.int() }
    case Type.closeSession:
      return { _tag: "CloseSession", paths: readPaths(reader) }
    case Type.multi:
      return { _tag: "Multi", changes: multi.read(reader).changes.map(({ body, type }) => readPart(body, type)) }
    default:
      return readSimple(reader, type)
  }
}

/** The list of paths, or nothing, or a digest without the list: the option `closeSessionTxn.enabled` tells, which no file has. */
const readPaths = (reader: JuteReader): ReadonlyArray<string> | undefined => {
  if (reader.remaining === 0) return undefined
  const start = reader.offset
  try {
    const read = paths.read(reader) ?? []
    if (reader.remaining === 0 || reader.remaining === DIGEST_SIZE) return read
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
  }
  reader.rewind(start)
  return undefined
}

const readPart = (body: Uint8Array, type: number): SimpleChange => {
  const reader = new JuteReader(body)
  const change = readSimple(reader, type)
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes after a change`)
  return change
}

const readSimple = (reader: JuteReader, type: number): SimpleChange => {
  switch (type) {
    case Type.create:
    case Type.create2: {
      const { acl, data, ephemeral, path } = create.read(reader)
      const parentCversion = reader.remaining === 0 ? -1 : reader.int()
      const operation = type === Type.create ? "create" : "create2"
      return { _tag: "Create", operation, path, data, acl: acl ?? [], ephemeral, ttl: undefined, parentCversion }
    }
    case Type.createContainer: {
      const { acl, data, parentCversion, path } = createContainer.read(reader)
      const fields = { path, data, acl: acl ?? [], ephemeral: false, ttl: undefined, parentCversion }
      return { _tag: "Create", operation: "createContainer", ...fields }
    }
    case Type.createTtl: {
      const { acl, data, parentCversion, path, ttl } = createTtl.read(reader)
      return {
        _tag: "Create",
        operation: "createTTL",
        path,
        data,
        acl: acl ?? [],
        ephemeral: false,
        ttl,
        parentCversion
      }
    }
    case Type.delete:
    case Type.deleteContainer:
      return { _tag: "Delete", path: remove.read(reader).path, container: type === Type.deleteContainer }
    case Type.setData:
    case Type.reconfig:
      return { _tag: "SetData", ...setData.read(reader), reconfig: type === Type.reconfig }
    case Type.setAcl: {
      const { acl, path, version } = setAcl.read(reader)
      return { _tag: "SetAcl", path, acl: acl ?? [], version }
    }
    case Type.check:
      return { _tag: "Check", ...check.read(reader) }
    case Type.error:
      return { _tag: "Error", code: reader.int() }
    default:
      throw reader.error(`the type ${type}, which no transaction has`)
  }
}
