/** The digest of a tree as servers compute it since 3.6 (version 2): the sum of a CRC-32 for each znode. */
import * as Zlib from "node:zlib"
import type { Znode } from "../../Znode.ts"

export const DIGEST_VERSION = 2

const STAT_SIZE = 60

const stat = new Uint8Array(STAT_SIZE)
const view = new DataView(stat.buffer)
const encoder = new TextEncoder()

let text = new Uint8Array(1024)

/** Into the same bytes each time, which the next call overwrites. */
const encode = (path: string): Uint8Array => {
  if (path.length * 3 > text.length) text = new Uint8Array(path.length * 3)
  return text.subarray(0, encoder.encodeInto(path, text).written)
}

/** The part of a znode in the sum. Znodes below `/zookeeper` have none, because each server counts quotas by itself. */
export const digestOf = (znode: Znode): bigint => {
  const { path } = znode
  if (path.startsWith("/zookeeper/")) return 0n
  view.setBigInt64(0, znode.czxid)
  view.setBigInt64(8, znode.mzxid)
  view.setBigInt64(16, znode.pzxid)
  view.setBigInt64(24, BigInt(znode.ctime))
  view.setBigInt64(32, BigInt(znode.mtime))
  view.setInt32(40, znode.version)
  view.setInt32(44, znode.cversion)
  view.setInt32(48, znode.aversion)
  view.setBigInt64(52, znode.owner)
  let crc = path === "/" ? 0 : Zlib.crc32(encode(path))
  if (znode.data !== null) crc = Zlib.crc32(znode.data, crc)
  return BigInt(Zlib.crc32(stat, crc))
}
