/**
 * A running server without its doors: the state, the connections to it, and what is due when.
 *
 * All of it is synchronous; a door brings bytes and takes bytes, and one fiber (`keepTime`) waits for what is due.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Identity } from "../Access.ts"
import type { Replica } from "../Replica.ts"
import { Client, makeOutcome, type Moment, type Outcome, ServerState, type Settings } from "../ServerState.ts"
import { FaultBox } from "./FaultBox.ts"
import { Partition } from "./Partition.ts"
import { Peer, type Sink } from "./Peer.ts"

/** How long a connection may take to introduce itself, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000

export interface CoreSettings extends Settings {
  /** Between two looks for containers and TTL znodes to collect, in milliseconds. */
  readonly collectInterval: number
  /** The most bytes of a request. */
  readonly maxFrameSize: number
}

export class Core {
  readonly settings: CoreSettings
  readonly state: ServerState
  readonly faults = new FaultBox()
  readonly peers = new Map<Client, Peer>()
  readonly partition = new Partition(this)
  /** What `srvr` counts. */
  readonly counters = { received: 0, sent: 0 }
  /** Open unless the server is paused. */
  readonly running = Latch.makeUnsafe(true)
  private readonly clock: Clock.Clock
  private readonly dirty = new Set<Peer>()
  private readonly due = Latch.makeUnsafe(false)
  private isPaused = false
  private nextId = 1
  private nextCollection: number | undefined
  private sessionCount = 0

  constructor(settings: CoreSettings, clock: Clock.Clock, replicas: number) {
    this.settings = settings
    this.clock = clock
    this.state = new ServerState(settings, { replicas, startedAt: clock.currentTimeMillisUnsafe() })
  }

  get paused(): boolean {
    return this.isPaused
  }

  moment(): Moment {
    return {
      wall: this.clock.currentTimeMillisUnsafe(),
      monotonic: Number(this.clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    }
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  accept(replica: Replica<Client>, identities: ReadonlyArray<Identity>, address: string, sink: Sink): Peer {
    const client = new Client(replica, identities)
    const deadline = this.moment().monotonic + HANDSHAKE_TIMEOUT
    const peer = new Peer(this, client, sink, { id: this.nextId++, address, deadline })
    this.peers.set(client, peer)
    this.due.openUnsafe()
    return peer
  }

  /** The connection is gone, whoever ended it. */
  forget(peer: Peer): void {
    this.peers.delete(peer.client)
    this.dirty.delete(peer)
    this.state.disconnect(peer.client)
  }

  /** Sends what came of a call to those it concerns: events, then the reply, and then the ends of connections. */
  deliver(outcome: Outcome, from?: Peer): void {
    for (const { path, to, type } of outcome.events) this.peers.get(to)?.notify(type, path)
    if (outcome.reply !== undefined) from?.reply(outcome.reply)
    for (const client of outcome.dropped) this.peers.get(client)?.end()
  }

  /** This peer has something to send at the end of the turn. */
  touch(peer: Peer): void {
    this.dirty.add(peer)
  }

  /** Ends a turn: all that was written is handed to the doors. */
  settle(): void {
    for (const peer of this.dirty) peer.flush()
    this.dirty.clear()
    this.schedule()
  }

  /** Ends every connection, or those to one replica; the sessions stay. */
  disconnect(replica?: Replica<Client>): void {
    for (const peer of [...this.peers.values()]) {
      if (replica === undefined || peer.client.replica === replica) peer.end()
    }
    this.settle()
  }

  // ---------------------------------------------------------------------------
  // pausing
  // ---------------------------------------------------------------------------

  pause(): void {
    this.isPaused = true
    this.running.closeUnsafe()
  }

  /** First comes what was sent meanwhile, and only then what has expired. */
  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    for (const peer of [...this.peers.values()]) peer.drain()
    this.state.sessions.reportUntil(Infinity)
    this.running.openUnsafe()
    this.settle()
  }

  // ---------------------------------------------------------------------------
  // time
  // ---------------------------------------------------------------------------

  /** Runs for as long as the server: ends sessions and connections that are silent, collects znodes that are due. */
  readonly keepTime: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() => {
      this.due.closeUnsafe()
      const next = this.nextDue()
      const wait =
        next === undefined
          ? this.due.await
          : Effect.raceFirst(Effect.sleep(Math.max(next - this.moment().monotonic, 0)), this.due.await)
      return Effect.andThen(
        Effect.andThen(wait, this.running.await),
        Effect.sync(() => this.tick())
      )
    }),
    { disableYield: true }
  )

  /** Lets everything happen that is due by now. */
  private tick(): void {
    const now = this.moment()
    this.partition.advance(now.monotonic)
    this.deliver(this.state.expireSessions(now))
    for (const peer of [...this.peers.values()]) {
      if (!peer.introduced && peer.deadline <= now.monotonic) peer.end()
    }
    if (this.nextCollection !== undefined && this.nextCollection <= now.monotonic) {
      this.nextCollection = undefined
      this.deliver(this.state.collect(now))
    }
    this.settle()
  }

  /** What is due next, in monotonic milliseconds; undefined while there is nothing to wait for. */
  private nextDue(): number | undefined {
    let next = this.partition.nextDue
    const deadline = this.state.hasQuorum ? this.state.sessions.nextDeadline : undefined
    if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline
    for (const peer of this.peers.values()) {
      if (!peer.introduced && (next === undefined || peer.deadline < next)) next = peer.deadline
    }
    if (this.nextCollection !== undefined && (next === undefined || this.nextCollection < next)) {
      next = this.nextCollection
    }
    return next
  }

  /** Wakes the timekeeper when there is something that it cannot know of. */
  private schedule(): void {
    const { sessions, leader } = this.state
    const isNews = sessions.size > this.sessionCount
    this.sessionCount = sessions.size
    const isCollection = leader.tree.collectable.size > 0 && this.nextCollection === undefined
    if (isCollection) this.nextCollection = this.moment().monotonic + this.settings.collectInterval
    if (isNews || isCollection) this.due.openUnsafe()
  }

  /** Cuts a replica off from the others; false if that cannot be. */
  isolate(replica: Replica<Client>): boolean {
    const isDone = this.partition.isolate(replica, this.moment().monotonic)
    this.due.openUnsafe()
    return isDone
  }

  /** Ends that. */
  rejoin(): void {
    this.partition.rejoin()
    this.settle()
    this.due.openUnsafe()
  }

  /** Ends a session as its timeout would; false if there is none of that id, or nobody to end it. */
  expireSession(id: bigint): boolean {
    const session = this.state.sessions.get(id)
    if (session === undefined || !this.state.hasQuorum) return false
    const outcome = makeOutcome()
    this.state.expire(session, this.moment(), outcome)
    this.deliver(outcome)
    this.settle()
    return true
  }
}
