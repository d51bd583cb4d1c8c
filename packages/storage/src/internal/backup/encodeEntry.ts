/** The lines of znodes in a backup. The Schema of a line is `Record`; a test compares the two. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Base64 from "effect/encoding/Base64"
import type { Entry } from "../live/model.ts"
import { kindOf, statOf } from "../../Znode.ts"
import { concat } from "../bytes/concat.ts"
import { isSameAcl } from "../restore/decide.ts"

/** Lines of znodes, each with its line feed, which JSON has nowhere else. */
export interface EncodedLines {
  readonly bytes: Uint8Array
  readonly count: number
}

export const encodeLines = (entries: ReadonlyArray<Entry>): EncodedLines => {
  const parts: Array<Uint8Array> = []
  // Many small lines become bytes together: each by itself takes as long again.
  const aclText = makeAclText()
  let text = ""
  for (const entry of entries) {
    text += lineOf(entry, aclText)
    if (text.length < TEXT) continue
    parts.push(encoder.encode(text))
    text = ""
  }
  parts.push(encoder.encode(text))
  return { bytes: concat(parts), count: entries.length }
}

// ---- internal

/** How much becomes bytes at a time, in characters. */
const TEXT = 262_144

/**
 * As `JSON.stringify` writes a `Record`. An object of so many fields for each znode would take most of the time, and only paths, data
 * and ACLs have characters that JSON escapes.
 */
const lineOf = ({ isKindKnown, numChildren, znode }: Entry, aclText: (acl: Acls) => string): string => {
  const kind = kindOf(znode.owner)
  const stat = statOf(znode, numChildren)
  const kindText = isKindKnown || kind._tag !== "Persistent" ? `,"kind":"${kinds[kind._tag]}"` : ""
  const ttlText = kind._tag === "Ttl" ? `,"ttl":${kind.ttl}` : ""
  const czxid = Hex64.format(stat.czxid)
  const mzxid = stat.mzxid === stat.czxid ? czxid : Hex64.format(stat.mzxid)
  const pzxid = stat.pzxid === stat.czxid ? czxid : Hex64.format(stat.pzxid)
  return (
    `{"path":${JSON.stringify(znode.path)}${kindText}${ttlText}${dataOf(znode.data)},"acl":${aclText(znode.acl)},` +
    `"stat":{"czxid":"${czxid}","mzxid":"${mzxid}","pzxid":"${pzxid}","ctime":${stat.ctime},"mtime":${stat.mtime},` +
    `"version":${stat.version},"cversion":${stat.cversion},"aversion":${stat.aversion},` +
    `"ephemeralOwner":"${Hex64.format(stat.ephemeralOwner)}","dataLength":${stat.dataLength},"numChildren":${stat.numChildren}}}\n`
  )
}

type Acls = Entry["znode"]["acl"]

/** The text of ACLs, of which most are the same as the one before. */
const makeAclText = (): ((acl: Acls) => string) => {
  let last: Acls = []
  let text = "[]"
  return (acl) => {
    if (isSameAcl(acl, last)) return text
    last = acl
    text = JSON.stringify(acl.map(({ id, perms, scheme }) => ({ perms, scheme, id })))
    return text
  }
}

const kinds = { Persistent: "persistent", Ephemeral: "ephemeral", Container: "container", Ttl: "ttl" } as const

const encoder = new TextEncoder()

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const dataOf = (data: Uint8Array | null): string => {
  if (data === null) return ""
  const text = textOf(data)
  return text === undefined ? `,"base64":"${Base64.encode(data)}"` : `,"text":${text}`
}

/**
 * As JSON, if it is UTF-8. A control character takes six bytes there: data that has many of them would make a line that is longer
 * than what is read by default.
 */
const textOf = (data: Uint8Array): string | undefined => {
  try {
    const text = JSON.stringify(utf8.decode(data))
    return text.length <= 2 * data.length + 2 ? text : undefined
  } catch {
    return undefined
  }
}
