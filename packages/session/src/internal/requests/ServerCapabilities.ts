import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerFeatures } from "../../SessionInfo.ts"
import { flaggedOperations } from "./keeperFeatures.ts"

/** A release as one number that grows with it. */
const releaseNumber = ({ since }: Operation.Any): number => {
  const [major = 0, minor = 0, patch = 0] = since.split(".").map(Number)
  return (major * 1000 + minor) * 1000 + patch
}

/** Operations that servers of 3.4, the oldest that are supported, do not know. */
const newer: ReadonlySet<Operation.Any> = new Set(
  Operations.all.filter((operation) => releaseNumber(operation) >= 3_005_000)
)

const newerNames: ReadonlySet<string> = new Set([...newer].map(({ name }) => name))

const none: ReadonlySet<Operation.Any> = new Set()

/** After this many milliseconds a server is asked again: it may have been upgraded. */
const MEMORY = 600_000

/** The operations that each server is known to lack. Asking for one of them costs a connection, so it is done rarely. */
export class ServerCapabilities implements ServerFeatures {
  /** Servers, then operations, then until when it is believed, in monotonic milliseconds. */
  private lacking: Map<string, Map<string, number>> | undefined
  private current: ReadonlyMap<string, number> | undefined
  private server: ServerAddress | undefined
  /** Newer operations that the server has answered on this connection. */
  private answered = none
  /** The newest release of an operation that it has answered on this connection, as a number. */
  private newestAnswered = 0
  /** The newer operations that ClickHouse Keeper announces, or may; undefined on ZooKeeper, which announces nothing. */
  private announced: ReadonlySet<string> | undefined
  private readonly now: () => number
  eventZxids: boolean | undefined = undefined

  constructor(now: () => number) {
    this.now = now
  }

  /** Whether the connected server is ClickHouse Keeper. */
  get isKeeper(): boolean {
    return this.announced !== undefined
  }

  readonly supports = (operation: string): boolean => {
    if (this.announced !== undefined) return this.announced.has(operation) || !newerNames.has(operation)
    const until = this.current?.get(operation)
    return until === undefined || this.now() >= until
  }

  /**
   * Whether the server surely knows an operation: one as old as all servers, or one that it has answered on this
   * connection. Behind one name there may be several servers.
   */
  readonly isKnown = (operation: Operation.Any): boolean =>
    this.isKeeper ? this.supports(operation.name) : !newer.has(operation) || this.answered.has(operation)

  /**
   * Whether the server is an older one that may lack an operation: it has refused another, and has answered none of that
   * release or of a later one on this connection. A request that no caller needs is not worth a connection then.
   */
  readonly isDoubtful = (operation: Operation.Any): boolean => {
    if (this.isKeeper) return !this.supports(operation.name)
    if (this.current === undefined || releaseNumber(operation) <= this.newestAnswered) return false
    const now = this.now()
    return [...this.current.values()].some((until) => now < until)
  }

  knows(operation: Operation.Any): void {
    // Once for each newer operation on each connection.
    this.answered = new Set([...this.answered, operation])
    this.newestAnswered = Math.max(this.newestAnswered, releaseNumber(operation))
  }

  /**
   * An event has come. Since 3.9 it names its transaction, except where it makes up for changes before the connection. Such a
   * server knows all operations: what was refused at its address was refused by the release before it, or by another server.
   */
  noteEvent(zxid: bigint): void {
    if (zxid <= 0n) {
      this.eventZxids ??= false
    } else if (this.eventZxids !== true) {
      this.eventZxids = true
      if (this.server !== undefined) this.lacking?.delete(format(this.server))
      this.current = undefined
    }
  }

  /** ClickHouse Keeper has announced these of the newer operations. */
  announce(operations: ReadonlySet<string>): void {
    this.announced = operations
  }

  /** There is a new connection. ClickHouse Keeper announces what it has before it is asked for anything else. */
  connected(server: ServerAddress, isKeeper: boolean): void {
    this.announced = isKeeper ? flaggedOperations : undefined
    this.server = server
    this.current = this.lacking?.get(format(server))
    this.answered = none
    this.newestAnswered = 0
    this.eventZxids = undefined
  }

  /**
   * The server does not know an operation. It knows none of that release or of a later one either, so that a release is
   * refused once and not operation by operation. Operations that it has answered on this connection are not among them.
   */
  lacks(server: ServerAddress, operation: Operation.Any): void {
    const key = format(server)
    const lacking = (this.lacking ??= new Map<string, Map<string, number>>())
    const known = lacking.get(key) ?? new Map<string, number>()
    const until = this.now() + MEMORY
    const release = releaseNumber(operation)
    known.set(operation.name, until)
    for (const other of newer) {
      if (!this.answered.has(other) && releaseNumber(other) >= release) known.set(other.name, until)
    }
    lacking.set(key, known)
    this.current = known
  }
}
