import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerFeatures } from "../Session.ts"

/** After so many milliseconds a server is asked again: it may have been upgraded. */
const MEMORY = 600_000

/**
 * Which operations each server is known to lack. Asking for one of them costs a connection, so it is done rarely.
 */
export class ServerCapabilities implements ServerFeatures {
  /** Servers, then operations, then until when it is believed, in monotonic milliseconds. */
  private readonly lacking = new Map<string, Map<string, number>>()
  private current: ReadonlyMap<string, number> | undefined
  private readonly now: () => number
  eventZxids: boolean | undefined = undefined

  constructor(now: () => number) {
    this.now = now
  }

  readonly supports = (operation: string): boolean => {
    const until = this.current?.get(operation)
    return until === undefined || this.now() >= until
  }

  connected(server: ServerAddress): void {
    this.current = this.lacking.get(format(server))
    this.eventZxids = undefined
  }

  lacks(server: ServerAddress, operation: string): void {
    const key = format(server)
    const known = this.lacking.get(key) ?? new Map<string, number>()
    known.set(operation, this.now() + MEMORY)
    this.lacking.set(key, known)
    this.current = known
  }
}
