/**
 * The memory of a view that tracks versions: those that it last read or wrote, by path.
 *
 * The versions of data and ACLs are kept apart, because a read of the one says nothing about the other. Only a read that
 * gave the data to the caller counts: after a `stat` or a `getChildren` the caller has not seen the change that a later
 * write would overwrite.
 */
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import type { Stat } from "../Models.ts"

/** How many paths a view remembers; the one used longest ago is forgotten first. */
const capacity = 10_000

interface Entry {
  data: number | undefined
  acl: number | undefined
}

export interface VersionMemory {
  /** The version to send when none was given: -1 for any. */
  readonly data: (server: string) => number
  readonly acl: (server: string) => number
  readonly rememberData: (server: string, version: number) => void
  readonly rememberAcl: (server: string, aversion: number) => void
  /** A new znode has version 0 of data and ACL, unless its Stat says otherwise. */
  readonly created: (server: string, stat?: Pick<Stat, "version" | "aversion">) => void
  readonly forget: (server: string) => void
}

/**
 * An empty memory. Paths are the server's, so that views with different chroots can share it. `info` has the history of
 * the ensemble: versions of an earlier history say nothing about the znodes of a later one.
 */
export const makeVersionMemory = (info: Pick<SessionInfo, "history">): VersionMemory => {
  // A Map keeps the order of insertion, so that deleting an entry and setting it again makes it the newest.
  const entries = new Map<string, Entry>()
  let { history } = info

  const current = (): Map<string, Entry> => {
    if (history !== info.history) {
      history = info.history
      entries.clear()
    }
    return entries
  }

  const touch = (server: string): Entry => {
    const entries = current()
    const entry = entries.get(server) ?? { data: undefined, acl: undefined }
    entries.delete(server)
    entries.set(server, entry)
    if (entries.size > capacity) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        break
      }
    }
    return entry
  }

  return {
    data: (server) => current().get(server)?.data ?? -1,
    acl: (server) => current().get(server)?.acl ?? -1,
    rememberData: (server, version) => {
      touch(server).data = version
    },
    rememberAcl: (server, aversion) => {
      touch(server).acl = aversion
    },
    created: (server, stat) => {
      const entry = touch(server)
      entry.data = stat?.version ?? 0
      entry.acl = stat?.aversion ?? 0
    },
    forget: (server) => {
      entries.delete(server)
    }
  }
}
