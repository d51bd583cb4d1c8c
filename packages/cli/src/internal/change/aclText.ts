/** ACLs as people and ZooKeeper's shell write them. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { UsageError } from "../frame/errors.ts"
import { shown } from "../output/text.ts"
import { readFile } from "./input.ts"

/**
 * Entries as arguments: `scheme:id:perms`, several with commas between them as in zkCli.sh, or one of the words `open`,
 * `read-only` and `creator`.
 */
export const parseAcl = Effect.fnUntraced(function* (
  texts: ReadonlyArray<string>,
  argument: string
): Effect.fn.Return<ReadonlyArray<Acl.Acl>, InvalidArgument | UsageError> {
  const entries: Array<Acl.Acl> = []
  for (const text of texts.flatMap(splitEntries)) {
    const known = words.get(text)
    if (known !== undefined) entries.push(...known)
    else entries.push(yield* Effect.fromResult(Acl.parse(text, argument)))
  }
  yield* checkEntries(entries, argument)
  return entries
})

/** The entries of a file: lines as `zk acl` prints them, or its JSON. */
export const readAclFile = Effect.fnUntraced(function* (file: string) {
  const source = file === "-" ? "the standard input" : file
  const text = decodeUtf8(yield* readFile(file))?.trim()
  if (text === undefined) return yield* new UsageError({ message: `${source} is not UTF-8; nothing was sent` })
  if (text.startsWith("{")) {
    const { acl } = yield* Effect.mapError(
      decodeDocument(text),
      (error) =>
        new UsageError({ message: `${source} is no ACL as \`zk acl --json\` prints it: ${oneLine(error.message)}` })
    )
    return yield* parseAcl(
      acl.map(({ id, perms, scheme }) => `${scheme}:${id}:${perms}`),
      source
    )
  }
  const lines = text.split("\n").map((line) => line.trim())
  const entries = yield* parseAcl(
    lines.filter((line) => line !== "" && !line.startsWith("#")),
    source
  )
  if (entries.length === 0) return yield* new UsageError({ message: `${source} has no entries; nothing was sent` })
  return entries
})

// ---- internal

const words: ReadonlyMap<string, ReadonlyArray<Acl.Acl>> = new Map([
  ["open", Acl.open],
  ["read-only", Acl.readOnly],
  ["creator", Acl.creator]
])

const decodeDocument = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      acl: Schema.Array(Schema.Struct({ scheme: Schema.String, id: Schema.String, perms: Schema.String }))
    })
  )
)

/** The subject of a certificate has commas too: only a scheme, or a word, begins another entry. */
const splitEntries = (text: string): ReadonlyArray<string> =>
  text.split(/,(?=\w+:|open$|read-only$|creator$|open,|read-only,|creator,)/).map((entry) => entry.trim())

/** Refuses entries that a server would take, and that are surely a mistake. */
const checkEntries = (
  entries: ReadonlyArray<Acl.Acl>,
  argument: string
): Effect.Effect<void, InvalidArgument | UsageError> => {
  for (const { id, scheme } of entries) {
    if (scheme !== "digest") continue
    const [user = "", hash = ""] = id.split(":")
    if (hash === "x") {
      return new UsageError({
        message: `the hash of digest:${shown(user)} is concealed; read the ACL with credentials that have ADMIN. Nothing was sent`
      })
    }
    if (!/^[\w+/-]{22,}={0,2}$/.test(hash)) {
      return new UsageError({
        message: `digest:${shown(user)}:<redacted> has no hash, which is base64; for your own user write auth::cdrwa, with --auth-file. Nothing was sent`
      })
    }
  }
  return entries.length === 0 ? Effect.void : Effect.asVoid(Effect.fromResult(Acl.validate(entries, argument)))
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ")
