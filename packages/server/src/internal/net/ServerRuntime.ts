/**
 * A running server without its listeners: the state, the connections, and the timers.
 *
 * All of it is synchronous. Listeners bring bytes and take bytes, and one fiber (`runTimers`) waits for the next deadline.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Identity } from "../state/AccessControl.ts"
import type { Replica } from "../state/Replica.ts"
import { Client, makeOutcome, type Timestamps, type Outcome, ServerState, type Settings } from "../state/ServerState.ts"
import { FaultRules } from "./FaultRules.ts"
import { Partition, type PartitionedServer } from "./Partition.ts"
import { StoppedMembers } from "./StoppedMembers.ts"
import { answerWord } from "./fourLetterWords.ts"
import { type ConnectionHost, ServerConnection, type Sink } from "./ServerConnection.ts"

/** The timeout of the handshake of a connection, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000

export interface RuntimeSettings extends Settings {
  /** How often empty containers and expired TTL znodes are deleted, in milliseconds. */
  readonly collectInterval: number
  /** The most bytes of a request. */
  readonly maxFrameSize: number
  /** How much later replies and events are sent at first, in milliseconds. */
  readonly latency: number
}

export class ServerRuntime implements ConnectionHost, PartitionedServer {
  readonly settings: RuntimeSettings
  readonly state: ServerState
  readonly faults = new FaultRules()
  readonly connections = new Map<Client, ServerConnection>()
  readonly partition = new Partition(this)
  private readonly stopped = new StoppedMembers(this)
  /** How much later replies and events are sent, in milliseconds. */
  latency: number
  /** The connections, perhaps ended, with bytes that are sent later. */
  private readonly delayed = new Set<ServerConnection>()
  /** The numbers of requests and replies in the answer to `srvr`. */
  readonly counters = { received: 0, sent: 0 }
  /** Open unless the server is paused. */
  readonly running = Latch.makeUnsafe(true)
  private readonly clock: Clock.Clock
  private readonly toFlush = new Set<ServerConnection>()
  private readonly due = Latch.makeUnsafe(false)
  private isPaused = false
  private nextId = 1
  private nextCollection: number | undefined
  private sessionCount = 0

  constructor(settings: RuntimeSettings, clock: Clock.Clock, replicas: number) {
    this.settings = settings
    this.latency = settings.latency
    this.clock = clock
    this.state = new ServerState(settings, { replicas, startedAt: Math.floor(clock.currentTimeMillisUnsafe()) })
  }

  get paused(): boolean {
    return this.isPaused
  }

  timestamps(): Timestamps {
    return {
      // A clock of tests may be within a millisecond; the times of znodes are whole ones.
      wall: Math.floor(this.clock.currentTimeMillisUnsafe()),
      monotonic: Number(this.clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    }
  }

  leads(replica: Replica<Client>): boolean {
    return this.partition.leads(replica)
  }

  answersSync(replica: Replica<Client>): boolean {
    return this.partition.answersSync(replica)
  }

  proposed(replica: Replica<Client>): void {
    this.partition.proposed(replica)
  }

  answerWord(replica: Replica<Client>, word: string): string | undefined {
    return answerWord(this, replica, word)
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  accept(replica: Replica<Client>, identities: ReadonlyArray<Identity>, address: string, sink: Sink): ServerConnection {
    const client = new Client(replica, identities)
    const deadline = this.timestamps().monotonic + HANDSHAKE_TIMEOUT
    const connection = new ServerConnection(this, client, sink, { id: this.nextId++, address, deadline })
    this.connections.set(client, connection)
    this.due.openUnsafe()
    return connection
  }

  /** Forgets a connection, which either side has ended. */
  remove(connection: ServerConnection): void {
    this.connections.delete(connection.client)
    this.toFlush.delete(connection)
    this.state.disconnect(connection.client)
  }

  /** Sends an outcome to the connections that it concerns: events, then the reply, and then the ends of connections. */
  deliver(outcome: Outcome, from?: ServerConnection): void {
    for (const event of outcome.events) this.connections.get(event.to)?.notify(event)
    if (outcome.reply !== undefined) from?.reply(outcome.reply)
    for (const client of outcome.toDisconnect) this.connections.get(client)?.end()
  }

  /** Marks a connection that has something to send at the end of the turn. */
  scheduleFlush(connection: ServerConnection): void {
    this.toFlush.add(connection)
  }

  /** Ends a turn: everything that was written is handed to the listeners. */
  flushAll(): void {
    for (const connection of this.toFlush) {
      connection.flush()
      if (connection.nextDue !== undefined) this.delay(connection)
    }
    this.toFlush.clear()
    this.schedule()
  }

  private delay(connection: ServerConnection): void {
    if (this.delayed.has(connection)) return
    this.delayed.add(connection)
    this.due.openUnsafe()
  }

  /** Breaks every connection, or those to one replica; the sessions stay. */
  disconnect(replica?: Replica<Client>): void {
    for (const connection of [...this.connections.values(), ...this.delayed]) {
      if (replica !== undefined && connection.client.replica !== replica) continue
      connection.cut()
      this.delayed.delete(connection)
    }
    this.flushAll()
  }

  // ---------------------------------------------------------------------------
  // stopping
  // ---------------------------------------------------------------------------

  /** Stops members, which keep their state. */
  stop(members: ReadonlyArray<Replica<Client>>): void {
    this.partition.heal()
    this.stopped.stop(members)
    // A process that is gone is not paused.
    if (this.state.replicas.every(({ membership }) => membership === "stopped")) this.resume()
  }

  /** Starts members again. */
  start(members: ReadonlyArray<Replica<Client>>): void {
    this.partition.heal()
    this.stopped.start(members)
    this.flushAll()
    this.due.openUnsafe()
  }

  // ---------------------------------------------------------------------------
  // pausing
  // ---------------------------------------------------------------------------

  pause(): void {
    this.isPaused = true
    this.running.closeUnsafe()
  }

  /** Handles requests that have arrived meanwhile before it lets sessions expire. */
  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    for (const connection of [...this.connections.values()]) connection.drain()
    this.state.sessions.reportUntil(Infinity)
    this.running.openUnsafe()
    this.flushAll()
  }

  // ---------------------------------------------------------------------------
  // time
  // ---------------------------------------------------------------------------

  /** Runs as long as the server: ends silent sessions and connections, and deletes expired znodes. */
  readonly runTimers: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() => {
      this.due.closeUnsafe()
      const next = this.nextDue()
      const wait =
        next === undefined
          ? this.due.await
          : Effect.raceFirst(Effect.sleep(Math.max(next - this.timestamps().monotonic, 0)), this.due.await)
      return Effect.andThen(
        Effect.andThen(wait, this.running.await),
        Effect.sync(() => this.handleDue())
      )
    }),
    { disableYield: true }
  )

  /** Does everything that is due by now. */
  private handleDue(): void {
    const now = this.timestamps()
    for (const connection of this.delayed) {
      connection.sendDue(now.monotonic)
      if (connection.nextDue === undefined) this.delayed.delete(connection)
    }
    this.partition.advance(now.monotonic)
    this.deliver(this.state.expireSessions(now))
    for (const connection of [...this.connections.values()]) {
      if (!connection.isHandshakeDone && connection.deadline <= now.monotonic) connection.end()
    }
    if (this.nextCollection !== undefined && this.nextCollection <= now.monotonic) {
      this.nextCollection = undefined
      this.deliver(this.state.collect(now))
    }
    this.flushAll()
  }

  /** The next deadline, in monotonic milliseconds; undefined while there is none. */
  private nextDue(): number | undefined {
    let next = this.partition.nextDue
    for (const { nextDue } of this.delayed) {
      if (nextDue !== undefined && (next === undefined || nextDue < next)) next = nextDue
    }
    const deadline = this.state.hasQuorum ? this.state.sessions.nextDeadline : undefined
    if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline
    for (const connection of this.connections.values()) {
      if (!connection.isHandshakeDone && (next === undefined || connection.deadline < next)) next = connection.deadline
    }
    if (this.nextCollection !== undefined && (next === undefined || this.nextCollection < next)) {
      next = this.nextCollection
    }
    return next
  }

  /** Wakes `runTimers` when there is a deadline that it does not know. */
  private schedule(): void {
    const { sessions, leader } = this.state
    const isNews = sessions.size > this.sessionCount
    this.sessionCount = sessions.size
    const isCollection = leader.tree.collectable.size > 0 && this.nextCollection === undefined
    if (isCollection) this.nextCollection = this.timestamps().monotonic + this.settings.collectInterval
    if (isNews || isCollection) this.due.openUnsafe()
  }

  /** Cuts a replica off from the others; false if that is not possible. */
  isolate(replica: Replica<Client>): boolean {
    const isDone = this.partition.isolate(replica, this.timestamps().monotonic)
    this.due.openUnsafe()
    return isDone
  }

  /** Ends the partition. */
  rejoin(): void {
    this.partition.rejoin()
    this.flushAll()
    this.due.openUnsafe()
  }

  /** Ends a session as its timeout would; false if there is no such session, or no leader to end it. */
  expireSession(id: bigint): boolean {
    const session = this.state.sessions.get(id)
    if (session === undefined || !this.state.hasQuorum) return false
    const outcome = makeOutcome()
    this.state.expire(session, this.timestamps(), outcome)
    this.deliver(outcome)
    this.flushAll()
    return true
  }
}
