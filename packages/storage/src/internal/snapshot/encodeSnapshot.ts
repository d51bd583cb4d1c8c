/** A snapshot as ZooKeeper 3.6 to 3.9 write and read it; older servers ignore the digest at its end. */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Records from "@effect-zookeeper/protocol/Records"
import type { Tree } from "../../Tree.ts"
import type { Znode } from "../../Znode.ts"
import { Adler32 } from "../bytes/adler32.ts"
import { DIGEST_VERSION } from "../tree/treeDigest.ts"
import { OPEN_ACL, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from "./SnapshotDecoder.ts"

/** The bytes after which a chunk is complete. */
const CHUNK = 65_536

const aclCodec = Jute.codec(Jute.Vector(Records.Acl))

/** The bytes of a snapshot, in chunks. */
export function* encodeSnapshot(tree: Tree): Generator<Uint8Array<ArrayBuffer>> {
  const writer = new JuteWriter(CHUNK)
  const checksum = new Adler32()
  const take = () => {
    const bytes = writer.take()
    checksum.update(bytes)
    return bytes
  }
  writer.int(SNAPSHOT_MAGIC)
  writer.int(SNAPSHOT_VERSION)
  writer.long(-1n)
  writer.int(tree.sessions.size)
  for (const [id, timeout] of tree.sessions) {
    writer.long(id)
    writer.int(timeout)
    if (writer.length > CHUNK) yield take()
  }
  const acls = tableOf(tree)
  writer.int(acls.size)
  for (const { acl, id } of acls.values()) {
    writer.long(id)
    aclCodec.write(writer, acl)
    if (writer.length > CHUNK) yield take()
  }
  for (const znode of tree.entries()) {
    writeZnode(writer, znode, acls.get(keyOf(znode.acl))?.id ?? OPEN_ACL)
    if (writer.length > CHUNK) yield take()
  }
  writer.ustring("/")
  yield take()
  writeSeal(writer, checksum)
  yield take()
  writer.long(tree.zxid)
  writer.int(DIGEST_VERSION)
  writer.long(tree.digest)
  yield take()
  writeSeal(writer, checksum)
  yield take()
}

const writeZnode = (writer: JuteWriter, znode: Znode, acl: bigint): void => {
  writer.ustring(znode.path === "/" ? "" : znode.path)
  writer.buffer(znode.data)
  writer.long(acl)
  writer.long(znode.czxid)
  writer.long(znode.mzxid)
  writer.long(BigInt(znode.ctime))
  writer.long(BigInt(znode.mtime))
  writer.int(znode.version)
  writer.int(znode.cversion)
  writer.int(znode.aversion)
  writer.long(znode.owner)
  writer.long(znode.pzxid)
}

const writeSeal = (writer: JuteWriter, checksum: Adler32): void => {
  writer.long(BigInt(checksum.value))
  writer.ustring("/")
}

/** A number for each ACL, but not for the open one. */
const tableOf = (tree: Tree) => {
  const acls = new Map<string, { readonly id: bigint; readonly acl: ReadonlyArray<Acl.Acl> }>()
  for (const { acl } of tree.entries()) {
    const key = keyOf(acl)
    if (key !== open && !acls.has(key)) acls.set(key, { id: BigInt(acls.size + 1), acl })
  }
  return acls
}

const keyOf = (acl: ReadonlyArray<Acl.Acl>): string =>
  JSON.stringify(acl.map(({ id, perms, scheme }) => [perms, scheme, id]))

const open = keyOf(Acl.open)
