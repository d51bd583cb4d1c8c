import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerFeatures } from "../../SessionInfo.ts"

/** Operations that servers of 3.4, the oldest that are supported, do not know. */
const newer: ReadonlyArray<Operation.Any> = Operations.all.filter(({ since }) => {
  const [major = 0, minor = 0] = since.split(".").map(Number)
  return major > 3 || minor > 4
})

/** After this many milliseconds a server is asked again: it may have been upgraded. */
const MEMORY = 600_000

/** The operations that each server is known to lack. Asking for one of them costs a connection, so it is done rarely. */
export class ServerCapabilities implements ServerFeatures {
  /** Servers, then operations, then until when it is believed, in monotonic milliseconds. */
  private readonly lacking = new Map<string, Map<string, number>>()
  private current: ReadonlyMap<string, number> | undefined
  /** Newer operations that the server has not answered on this connection. */
  private readonly untried = new Set<Operation.Any>()
  private readonly now: () => number
  eventZxids: boolean | undefined = undefined

  constructor(now: () => number) {
    this.now = now
  }

  readonly supports = (operation: string): boolean => {
    const until = this.current?.get(operation)
    return until === undefined || this.now() >= until
  }

  /**
   * Whether the server surely knows an operation: one as old as all servers, or one that it has answered on this
   * connection. Behind one name there may be several servers.
   */
  readonly isKnown = (operation: Operation.Any): boolean => !this.untried.has(operation)

  knows(operation: Operation.Any): void {
    this.untried.delete(operation)
  }

  connected(server: ServerAddress): void {
    this.current = this.lacking.get(format(server))
    for (const operation of newer) this.untried.add(operation)
    this.eventZxids = undefined
  }

  lacks(server: ServerAddress, operation: string): void {
    const key = format(server)
    const known = this.lacking.get(key) ?? new Map<string, number>()
    const until = this.now() + MEMORY
    known.set(operation, until)
    // Servers that cannot hold a persistent watch cannot register one again, and the other way round.
    if (operation === Operations.setWatches2.name) known.set(Operations.addWatch.name, until)
    if (operation === Operations.addWatch.name) known.set(Operations.setWatches2.name, until)
    this.lacking.set(key, known)
    this.current = known
  }
}
