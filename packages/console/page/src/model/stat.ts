/** The stat of a znode as sentences. */
import { formatHex, type Stat } from "@effect-zookeeper/console/Models"
import { size } from "./data.ts"
import { ago, moment } from "./time.ts"

export interface Fact {
  readonly name: string
  readonly text: string
  /** The rest of it, for people who want to know exactly. */
  readonly detail: string
}

export const facts = (stat: Stat, now: number): ReadonlyArray<Fact> => [
  {
    name: "Data",
    text: stat.dataLength === 0 ? "none" : size(stat.dataLength),
    detail:
      stat.version === 0 ? "version 0, as it was created" : `version ${stat.version}, ${times(stat.version, "written")}`
  },
  {
    name: "Last written",
    text: stat.mtime === 0 ? "when the ensemble began" : ago(stat.mtime, now),
    detail: `${stat.mtime === 0 ? "" : `${moment(stat.mtime)}, `}zxid ${formatHex(stat.mzxid)}`
  },
  {
    name: "Created",
    text: stat.ctime === 0 ? "when the ensemble began" : ago(stat.ctime, now),
    detail: `${stat.ctime === 0 ? "" : `${moment(stat.ctime)}, `}zxid ${formatHex(stat.czxid)}`
  },
  {
    name: "Children",
    text: stat.numChildren === 0 ? "none" : stat.numChildren.toLocaleString("en"),
    detail: `${times(stat.cversion, "changed")}, last by zxid ${formatHex(stat.pzxid)}`
  },
  {
    name: "ACL",
    text: stat.aversion === 0 ? "as it was created" : times(stat.aversion, "changed"),
    detail: `version ${stat.aversion}`
  }
]

/** How long it stays. ZooKeeper marks containers and times to live in the field of the owner. */
export const lifetime = (
  stat: Stat
): { readonly word: string; readonly text: string; readonly owner: string | undefined } => {
  const owner = BigInt.asUintN(64, stat.ephemeralOwner)
  if (owner === 0n) return { word: "persistent", text: "It stays until someone deletes it.", owner: undefined }
  if (owner === 0x8000000000000000n) {
    return {
      word: "container",
      text: "The servers delete it some time after its last child is gone.",
      owner: undefined
    }
  }
  if (owner >> 56n === 0xffn) {
    const millis = Number(owner & 0xffffffffffn)
    return {
      word: "time to live",
      text: `The servers delete it when it has no children and was not written for ${ago(0, millis).replace(" ago", "")}.`,
      owner: undefined
    }
  }
  return {
    word: "ephemeral",
    text: "It ends with the session that created it.",
    owner: formatHex(stat.ephemeralOwner)
  }
}

/** A counter below 0 counts nothing: the servers begin there with znodes of their own, and others arrive after 2,147,483,647. */
const times = (count: number, word: string): string => {
  if (count < 0) return `counter at ${count.toLocaleString("en")}`
  return count === 0 ? `never ${word}` : count === 1 ? `${word} once` : `${word} ${count.toLocaleString("en")} times`
}
