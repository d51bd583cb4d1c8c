import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerFeatures } from "../Session.ts"

/**
 * Which operations each server is known to lack. Asking for one of them costs a connection, so it is done once a server.
 */
export class ServerCapabilities implements ServerFeatures {
  private readonly lacking = new Map<string, Set<string>>()
  private current: ReadonlySet<string> | undefined
  eventZxids: boolean | undefined = undefined

  readonly supports = (operation: string): boolean => this.current === undefined || !this.current.has(operation)

  connected(server: ServerAddress): void {
    this.current = this.lacking.get(format(server))
  }

  lacks(server: ServerAddress, operation: string): void {
    const key = format(server)
    const known = this.lacking.get(key) ?? new Set()
    this.lacking.set(key, known.add(operation))
  }
}
