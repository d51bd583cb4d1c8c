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

/** The tries to find a server and why they failed, for errors and the log when none was found. */
export class ConnectAttempts {
  private readonly failures = new Map<string, Failure>()
  private readonly tried = new Set<string>()
  private readonly underWay = new Map<string, number>()

  /** A try at a server begins. */
  began(server: ServerAddress): void {
    const name = format(server)
    this.tried.add(name)
    this.underWay.set(name, (this.underWay.get(name) ?? 0) + 1)
  }

  /** It has ended, by a failure or otherwise. */
  ended(server: ServerAddress): void {
    const name = format(server)
    const left = (this.underWay.get(name) ?? 0) - 1
    if (left > 0) this.underWay.set(name, left)
    else this.underWay.delete(name)
  }

  failed(address: ServerAddress, given: string, tls: TlsReason | undefined): void {
    const server = format(address)
    const reason = given.startsWith(`${server}: `) ? given.slice(server.length + 2) : given
    const key = `${server} ${reason}`
    const count = (this.failures.get(key)?.count ?? 0) + 1
    // The newest is the last.
    this.failures.delete(key)
    this.failures.set(key, { server, reason, count, ...(tls === undefined ? {} : { tls }) })
    for (const oldest of this.failures.keys()) {
      if (this.failures.size <= MAX) break
      this.failures.delete(oldest)
    }
  }

  /** A server was found: earlier failures say nothing of the next search. */
  clear(): void {
    // Clearing an empty map would allocate a new table.
    if (this.failures.size > 0) this.failures.clear()
    this.tried.clear()
    this.underWay.clear()
  }

  /** In few words. */
  get summary(): string {
    return this.toError([]).summary
  }

  /** The error of a connect, for the servers of the list. */
  toError(servers: ReadonlyArray<ServerAddress>): ConnectFailed {
    const waiting = [...this.underWay.keys()]
      .filter((server) => ![...this.failures.values()].some((failure) => failure.server === server))
      .map((server) => ({ server, reason: "no answer yet", count: 1 }))
    const untried = [...new Set(servers.map(format))].filter((server) => !this.tried.has(server))
    return new ConnectFailed({ attempts: [...this.failures.values(), ...waiting], untried })
  }
}
