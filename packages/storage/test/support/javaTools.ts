/** ZooKeeper's own tools for its files, run on a file, and the same text from what is read here. */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import type { SimpleChange, Transaction } from "../../src/Transaction.ts"
import type { Tree } from "../../src/Tree.ts"

/** The lines that a class of ZooKeeper prints; undefined if it runs only in Docker. */
export const javaTool = (className: string, ...args: ReadonlyArray<string>) =>
  Effect.map(ZooKeeperInstall.find, (install) => {
    if (install._tag !== "Java") return undefined
    const flags = ["-Dfile.encoding=UTF-8", "-Duser.timezone=UTC", "-Duser.language=en", "-Duser.country=US"]
    const tool = ["-cp", install.classPath, `org.apache.zookeeper.server.${className}`, ...args]
    const maxBuffer = 1 << 28
    const { stdout } = ChildProcess.spawnSync(install.java, [...flags, ...tool], { encoding: "utf8", maxBuffer })
    return stdout
  })

/** The paragraphs of SnapshotFormatter for the znodes of a tree, by their paths. */
export const formatterParagraphs = (tree: Tree): Map<string, string> => {
  const paragraphs = new Map<string, string>()
  for (const znode of tree.entries()) {
    const lines = [
      `cZxid = ${javaHex(znode.czxid)}`,
      `ctime = ${javaDate(znode.ctime)}`,
      `mZxid = ${javaHex(znode.mzxid)}`,
      `mtime = ${javaDate(znode.mtime)}`,
      `pZxid = ${javaHex(znode.pzxid)}`,
      `cversion = ${znode.cversion}`,
      `dataVersion = ${znode.version}`,
      `aclVersion = ${znode.aversion}`,
      `ephemeralOwner = ${javaHex(znode.owner)}`,
      znode.data === null ? "no data" : `dataLength = ${znode.data.length}`
    ]
    paragraphs.set(znode.path, lines.map((line) => `  ${line}`).join("\n"))
  }
  return paragraphs
}

/** The paragraphs in the output of SnapshotFormatter, by their paths. */
export const paragraphsOf = (output: string): Map<string, string> => {
  const paragraphs = new Map<string, string>()
  for (const [, path, lines] of output.matchAll(/^----\n(\/.*)\n((?: {2}.*\n?)+)/gm)) {
    paragraphs.set(path!, lines!.trimEnd())
  }
  return paragraphs
}

/**
 * The line of TxnLogToolkit for a transaction, without its time; of a `Multi` only the names of the operations. Before 3.5, the
 * toolkit prints records as they print themselves.
 */
export const toolkitLine = ({ change, cxid, session, zxid }: Transaction): string => {
  const head = `session 0x${BigInt.asUintN(64, session).toString(16)} cxid 0x${cxid.toString(16)} zxid 0x${zxid.toString(16)}`
  return `${head} ${TestServer.isAtLeast("3.5.0") ? toolkitText(change) : recordText(change)}`
}

/** A line as the toolkit prints it, without its time: of a multi, in whose bytes no other text can be told, the names of operations. */
export const printedLine = (line: string): string => {
  // Since 3.9, the name of the operation has other letters.
  const printed = line
    .replace(/^[^a-z]*UTC /, "")
    .replace(/\n$/, "")
    .replace(/^((?:\S+ ){6})createTtl /, "$1createTTL ")
  const multi = / multi (.*)/s.exec(printed)
  if (multi === null) return printed
  const names = TestServer.isAtLeast("3.5.0")
    ? [...multi[1]!.matchAll(/(create(?:2|TTL|Container)?|delete|setData|check|error):/gi)].map((match) =>
        match[1]!.replace("createTtl", "createTTL")
      )
    : [...multi[1]!.matchAll(/s\{(-?\d+),/g)].map((match) => operationTypes[match[1]!])
  return `${printed.slice(0, multi.index)} multi ${names.join(";")}`
}

const operationTypes: Readonly<Record<string, string>> = {
  1: "create",
  2: "delete",
  5: "setData",
  13: "check",
  "-1": "error"
}

const recordText = (change: Transaction["change"]): string => {
  // Each byte is a number with a sign.
  const hexOf = (byte: number) => (byte < 128 ? byte : 0xffffff00 + byte).toString(16)
  const hex = (data: Uint8Array | null) =>
    data === null || data.length === 0 ? "" : `#${Array.from(data, hexOf).join("")}`
  const aclText = (acl: ReadonlyArray<Acl>) =>
    `v{${acl.map(({ id, perms, scheme }) => `s{${perms},s{'${scheme},'${id}}}`).join()}}`
  switch (change._tag) {
    case "Create": {
      const isEphemeral = change.ephemeral ? "T" : "F"
      return `create '${[change.path, hex(change.data), aclText(change.acl), isEphemeral, change.parentCversion].join()}`
    }
    case "SetData":
      return `setData '${change.path},${hex(change.data)},${change.version}`
    default:
      return toolkitText(change)
  }
}

const toolkitText = (change: Transaction["change"]): string => {
  switch (change._tag) {
    case "CreateSession":
      return `createSession ${change.timeout}`
    case "CloseSession":
      return `closeSession ${change.paths === undefined ? "null" : `v{${change.paths.map((path) => `'${path}`).join()}}`}`
    case "Multi":
      return `multi ${change.changes.map(operationName).join(";")}`
    case "Create": {
      const acl = change.acl.map(({ id, perms, scheme }) => `${perms},s{'${scheme},'${id}}\n`).join(", ")
      const end = [...(change.operation === "create" || change.operation === "create2" ? [change.ephemeral] : [])]
      const ttl = change.ttl === undefined ? [] : [change.ttl]
      return `${operationName(change)} ${[change.path, text(change.data), `[${acl}]`, ...end, change.parentCversion, ...ttl].join()}`
    }
    case "SetData":
      return `${operationName(change)} ${change.path},${text(change.data)},${change.version}`
    case "SetAcl": {
      const acl = change.acl.map(({ id, perms, scheme }) => `s{${perms},s{'${scheme},'${id}}}`).join()
      return `setACL '${change.path},v{${acl}},${change.version}`
    }
    case "Delete":
      return `${operationName(change)} '${change.path}`
    case "Check":
      return `check ${change.path}`
    case "Error":
      return `error ${change.code}`
  }
}

const operationName = (change: SimpleChange): string => {
  switch (change._tag) {
    case "Create":
      return change.operation
    case "Delete":
      return change.container ? "deleteContainer" : "delete"
    case "SetData":
      return change.reconfig ? "reconfig" : "setData"
    case "SetAcl":
      return "setACL"
    case "Check":
      return "check"
    case "Error":
      return "error"
  }
}

/** `%#016x` of Java: 16 characters, of which two are the prefix. */
const javaHex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16).padStart(14, "0")}`

const javaDate = (millis: number): string => {
  const [, day, date, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(new Date(millis).toUTCString())!
  return `${day} ${month} ${date} ${time} UTC ${year}`
}

const text = (data: Uint8Array | null): string => (data === null ? "" : Buffer.from(data).toString("utf8"))
