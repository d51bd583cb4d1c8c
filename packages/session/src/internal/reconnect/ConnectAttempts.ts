import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import { ConnectFailed } from "../../SessionError.ts"

/** How many different failures are kept. */
const MAX = 20

/** A failure, and how often there was one like it. */
interface Failure {
  readonly server: string
  readonly reason: string
  readonly count: number
  readonly tls?: TlsReason
}

/** The tries of one search. */
interface Tries {
  readonly failures: Map<string, Failure>
  readonly tried: Set<string>
  readonly underWay: Map<string, number>
}

/**
 * The tries to find a server and why they failed, for errors and the log when none was found. A session that is connected has
 * no maps for them.
 */
export class ConnectAttempts {
  private current: Tries | undefined

  private get tries(): Tries {
    return (this.current ??= { failures: new Map(), tried: new Set(), underWay: new Map() })
  }

  /** A try at a server begins. */
  began(server: ServerAddress): void {
    const name = format(server)
    const { tried, underWay } = this.tries
    tried.add(name)
    underWay.set(name, (underWay.get(name) ?? 0) + 1)
  }

  /** It has ended, by a failure or otherwise. */
  ended(server: ServerAddress): void {
    const name = format(server)
    const { underWay } = this.tries
    const left = (underWay.get(name) ?? 0) - 1
    if (left > 0) underWay.set(name, left)
    else underWay.delete(name)
  }

  failed(address: ServerAddress, given: string, tls: TlsReason | undefined): void {
    const server = format(address)
    const reason = given.startsWith(`${server}: `) ? given.slice(server.length + 2) : given
    const key = `${server} ${reason}`
    const { failures } = this.tries
    const count = (failures.get(key)?.count ?? 0) + 1
    // The newest is the last.
    failures.delete(key)
    failures.set(key, { server, reason, count, ...(tls === undefined ? {} : { tls }) })
    for (const oldest of failures.keys()) {
      if (failures.size <= MAX) break
      failures.delete(oldest)
    }
  }

  /** A server was found: earlier failures say nothing of the next search. */
  clear(): void {
    this.current = undefined
  }

  /** In few words. */
  get summary(): string {
    return this.toError([]).summary
  }

  /** The error of a connect, for the servers of the list. */
  toError(servers: ReadonlyArray<ServerAddress>): ConnectFailed {
    const { failures, tried, underWay } = this.tries
    const waiting = [...underWay.keys()]
      .filter((server) => ![...failures.values()].some((failure) => failure.server === server))
      .map((server) => ({ server, reason: "no answer yet", count: 1 }))
    const untried = [...new Set(servers.map(format))].filter((server) => !tried.has(server))
    return new ConnectFailed({ attempts: [...failures.values(), ...waiting], untried })
  }
}
