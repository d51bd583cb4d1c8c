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

/**
 * How long it stays. Servers keep containers and times to live to themselves: in the stat they are znodes without an owner.
 */
export const lifetime = (
  stat: Stat
): { readonly word: string; readonly text: string; readonly owner: string | undefined } => {
  if (stat.ephemeralOwner === 0n) {
    return {
      word: "persistent",
      text: "It stays until someone deletes it. A container and a znode with a time to live look the same, and are deleted by the servers.",
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
