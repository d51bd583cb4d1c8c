/** The lines of znodes in a backup. The Schema of a line is `Record`; a test compares the two. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Base64 from "effect/encoding/Base64"
import type { Entry } from "../live/model.ts"
import { kindOf, statOf } from "../../Znode.ts"
import { concat } from "../bytes/concat.ts"
import type { Record } from "./lines.ts"

/** Lines of znodes, each with its line feed, which JSON has nowhere else. */
export interface EncodedLines {
  readonly bytes: Uint8Array
  readonly count: number
}

export const encodeLines = (entries: ReadonlyArray<Entry>): EncodedLines => {
  const parts: Array<Uint8Array> = []
  // Many small lines become bytes together: each by itself takes as long again.
  let text = ""
  for (const entry of entries) {
    text += `${JSON.stringify(recordOf(entry))}\n`
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

const recordOf = ({ isKindKnown, numChildren, znode }: Entry): Record => {
  const kind = kindOf(znode.owner)
  const stat = statOf(znode, numChildren)
  return {
    path: znode.path,
    ...(isKindKnown || kind._tag !== "Persistent" ? { kind: kinds[kind._tag] } : {}),
    ...(kind._tag === "Ttl" ? { ttl: kind.ttl } : {}),
    ...dataOf(znode.data),
    acl: znode.acl.map(({ id, perms, scheme }) => ({ perms, scheme, id })),
    stat: {
      czxid: Hex64.format(stat.czxid),
      mzxid: Hex64.format(stat.mzxid),
      pzxid: Hex64.format(stat.pzxid),
      ctime: stat.ctime,
      mtime: stat.mtime,
      version: stat.version,
      cversion: stat.cversion,
      aversion: stat.aversion,
      ephemeralOwner: Hex64.format(stat.ephemeralOwner),
      dataLength: stat.dataLength,
      numChildren: stat.numChildren
    }
  }
}

const kinds = { Persistent: "persistent", Ephemeral: "ephemeral", Container: "container", Ttl: "ttl" } as const

const encoder = new TextEncoder()

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const dataOf = (data: Uint8Array | null): { readonly text?: string; readonly base64?: string } => {
  if (data === null) return {}
  try {
    return { text: utf8.decode(data) }
  } catch {
    return { base64: Base64.encode(data) }
  }
}
