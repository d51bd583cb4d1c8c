/** The text of a snapshot in a file. */
import { withJson } from "@effect-zookeeper/client/Json"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Snapshot, Znode } from "./model.ts"

export const decodeSnapshot = (text: string): Effect.Effect<Snapshot, Schema.SchemaError> =>
  Effect.map(decode(text), fromStored)

export const encodeSnapshot = (snapshot: Snapshot): Effect.Effect<string, Schema.SchemaError> =>
  encode(toStored(snapshot))

/** The reason of a failure of either: the error of a text that is no JSON would quote it. */
export const notASnapshot = "it is not a snapshot that this version has written"

// ---- internal

const Stored = Schema.Struct({
  format: Schema.Literal("effect-zookeeper/snapshot/1"),
  path: Schema.String,
  znodes: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      data: Schema.Uint8ArrayFromBase64,
      czxid: Schema.BigInt,
      mzxid: Schema.BigInt,
      pzxid: Schema.BigInt,
      cversion: Schema.Int
    })
  )
})

const codec = Schema.fromJsonString(Schema.toCodecJson(Stored))
const decode = Schema.decodeUnknownEffect(codec)
const encode = Schema.encodeEffect(codec)

const toStored = ({ path, znodes }: Snapshot): typeof Stored.Type => ({
  format: "effect-zookeeper/snapshot/1",
  path,
  znodes: Array.from(znodes, ([at, { cversion, czxid, data, mzxid, pzxid }]) => ({
    path: at,
    data,
    czxid,
    mzxid,
    pzxid,
    cversion
  }))
})

const fromStored = (stored: typeof Stored.Type): Snapshot => {
  const children = new Map<string, Array<string>>()
  const znodes = new Map<string, Znode>()
  let zxid = 0n
  for (const { path, ...znode } of stored.znodes) {
    const names: Array<string> = []
    children.set(path, names)
    znodes.set(path, withJson({ ...znode, children: names }))
    const slash = path.lastIndexOf("/")
    if (path !== stored.path) children.get(path.slice(0, slash) || "/")?.push(path.slice(slash + 1))
    for (const number of [znode.czxid, znode.mzxid, znode.pzxid]) if (number > zxid) zxid = number
  }
  return withJson({ path: stored.path, znodes, zxid })
}
