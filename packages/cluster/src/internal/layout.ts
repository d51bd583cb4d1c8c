/** The znodes of a cluster, and the names that they have. */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"

/** The persistent znodes of a cluster. Their children are ephemeral. */
export interface Layout {
  readonly prefix: string
  /** A child for each registered runner. */
  readonly runners: string
  /** A child for each shard that is owned. */
  readonly shards: string
  /** A child for each machine id that is taken. */
  readonly machines: string
}

export const makeLayout = (prefix: string): Layout => ({
  prefix,
  runners: ZnodePath.join(prefix, "runners"),
  shards: ZnodePath.join(prefix, "shards"),
  machines: ZnodePath.join(prefix, "machines")
})

/** The name of a shard's lock: its id as Effect writes it, such as `default:17`. */
export const shardName = (shardId: string): string => escapeName(shardId)

/**
 * The name of a runner's registration: its address and the session. No other registration ever has the same, so that its
 * path is the name of its birth.
 */
export const runnerName = (address: string, sessionId: bigint): string =>
  `${escapeName(address)}@${Hex64.digits(sessionId)}`

/** Whether a name is that of a registration of an address, in whatever session. */
export const isRunnerOf = (name: string, address: string): boolean => name.startsWith(`${escapeName(address)}@`)

// ---- internal

/** Letters, digits and what is usual in addresses stays; all else is written as its bytes. */
const escapeName = (text: string): string =>
  text.replaceAll(/[^\w.:[\]~-]/gu, (character) =>
    Array.from(encoder.encode(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")
  )

const encoder = new TextEncoder()
