/** Text that a person types over a znode, and what another client has made of the znode meanwhile. */
import type { Stat } from "@effect-zookeeper/console/Models"
import { textOf } from "./data.ts"

export interface Draft {
  readonly text: string
  /** The text that the person started from. */
  readonly base: { readonly text: string; readonly version: number; readonly czxid: string }
}

/** What another client has written meanwhile. The text is missing where it is not text, or not all of it may be read. */
export interface Theirs {
  readonly stat: Stat
  readonly text: string | undefined
}

export const theirsOf = ({
  data,
  isTruncated = false,
  stat
}: {
  readonly stat: Stat
  readonly data?: Uint8Array
  readonly isTruncated?: boolean
}): Theirs => ({ stat, text: data === undefined || isTruncated ? undefined : textOf(data) })

export const isChanged = ({ base, text }: Draft): boolean => text !== base.text

/** The draft after `text` was saved: undefined, unless the person has typed on while the save was on its way. */
export const afterSave = (draft: Draft, text: string, stat: Pick<Stat, "czxid" | "version">): Draft | undefined =>
  draft.text === text
    ? undefined
    : { text: draft.text, base: { text, version: stat.version, czxid: String(stat.czxid) } }

/** Whether a znode is another one, or has another version. A server that lags tells older ones, which are none. */
export const isNewer = (
  now: Pick<Stat, "czxid" | "version">,
  seen: { readonly czxid: string | bigint; readonly version: number }
): boolean => {
  const created = BigInt(seen.czxid)
  return now.czxid === created ? now.version > seen.version : now.czxid > created
}
