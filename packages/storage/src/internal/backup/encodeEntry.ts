/** The line of a znode in a backup. The Schema of it is `Record`; a test compares the two. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Base64 from "effect/encoding/Base64"
import type { Entry } from "../live/model.ts"
import { kindOf, statOf } from "../../Znode.ts"
import type { Record } from "./lines.ts"

export const encodeEntry = (entry: Entry): string => JSON.stringify(recordOf(entry))

// ---- internal

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

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const dataOf = (data: Uint8Array | null): { readonly text?: string; readonly base64?: string } => {
  if (data === null) return {}
  try {
    return { text: utf8.decode(data) }
  } catch {
    return { base64: Base64.encode(data) }
  }
}
