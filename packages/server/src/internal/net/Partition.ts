/**
 * One server is cut off from the others, while clients reach all of them. It behaves as ZooKeeper 3.8.0 does:
 *
 * - A follower hears from its leader every half tick, and gives up when it has heard nothing for `syncLimit` ticks (the
 *   timeout of its socket). A leader checks once a tick, and steps down when too few followers have answered within
 *   `syncLimit` ticks. Until then each of them goes on: it answers pings, and reads from its own state.
 * - Requests that need the others wait: all writes, even those that would fail, closeSession, the handshake of a new session
 *   and, at a follower, that of an old one, because the follower asks the leader. A leader answers the handshake of an old
 *   session by itself, and a sync, too, as long as no proposal of its own is outstanding. Later requests on the same connection
 *   wait as well, pings included.
 * - Only the leader ends sessions, in a transaction. A follower reports signs of life with its answer to the next ping, at
 *   most half a tick later. A follower that is cut off cannot report, so the leader ends its sessions without its knowledge.
 * - A server that gives up closes all connections of its clients and refuses new ones. A majority that has lost its leader
 *   elects the server with the longest log or, among several, with the highest id. The new leader gives every session its
 *   full timeout from then on, and begins a new epoch of zxids.
 * - If the link is back before any server gave up, nothing was lost: waiting requests are done, signs of life arrive, and the
 *   server catches up and closes the connections of sessions that have ended. A server that gave up first takes over the
 *   state of the majority.
 *
 * A server that is cut off keeps its tree (its replica leaves the transactions of the log pending), and the sessions of the
 * state are those of the majority. Only one server can be cut off at a time, of three or more, so that there is a majority.
 */
import * as Latch from "effect/Latch"
import type { Replica } from "../state/Replica.ts"
import type { Client, Outcome, ServerState, Settings, Timestamps } from "../state/ServerState.ts"
import type { ServerConnection } from "./ServerConnection.ts"

type Member = Replica<Client>

/** The ensemble that is partitioned. */
export interface PartitionedServer {
  readonly state: ServerState
  readonly settings: Settings
  readonly connections: ReadonlyMap<Client, ServerConnection>
  readonly timestamps: () => Timestamps
  readonly deliver: (outcome: Outcome) => void
  /** Ends all connections to a member. */
  readonly disconnect: (member: Member) => void
}

export class Partition {
  private readonly server: PartitionedServer
  private isolated: Member | undefined
  /** Whether the server that is cut off was the leader, and has not stepped down yet. */
  private ledBefore = false
  /** Whether that leader has proposed something, which no quorum commits. */
  private hasProposed = false
  /** Whether the link is back, but the old leader has not noticed yet that there is another one. */
  private isHealed = false
  /** When a server that is alone gives up, and when a server that is down comes back. */
  private readonly due = new Map<Member, number>()
  /** Open while no server is cut off. */
  readonly whole = Latch.makeUnsafe(true)

  constructor(server: PartitionedServer) {
    this.server = server
  }

  /** Whether a server answers the handshakes of old sessions by itself. */
  leads(replica: Member): boolean {
    return replica === this.server.state.leader || (replica === this.isolated && this.ledBefore)
  }

  /** Whether a server that has lost the others answers a sync: a leader does while none of its proposals is outstanding. */
  answersSync(replica: Member): boolean {
    return this.leads(replica) && !this.hasProposed
  }

  /** A write has come to a server that has lost the others. */
  proposed(replica: Member): void {
    if (this.leads(replica)) this.hasProposed = true
  }

  /** False if a server is cut off already or does not serve, or if there is no majority without this one. */
  isolate(replica: Member, now: number): boolean {
    const { settings, state } = this.server
    const isWhole = state.replicas.every(({ membership }) => membership === "joined")
    if (this.isolated !== undefined || !isWhole || state.replicas.length < 3) return false
    this.isolated = replica
    this.ledBefore = replica === state.leader
    this.hasProposed = false
    this.isHealed = false
    this.whole.closeUnsafe()
    const heard = state.lastReport(now)
    for (const member of this.ledBefore ? state.replicas : [replica]) {
      state.leaveAlone(member, now)
      // A leader checks once a tick.
      const ticks = settings.syncLimit + (member === state.leader ? 1 : 0)
      this.due.set(member, heard + ticks * settings.tickTime)
    }
    return true
  }

  /** The link is back. */
  rejoin(): void {
    const { isolated, server } = this
    if (isolated === undefined) return
    const { state } = server
    const isElecting = isolated === state.leader && state.replicas.some(({ membership }) => membership === "down")
    const isUnaware = this.ledBefore && isolated !== state.leader && isolated.membership === "alone"
    // Followers without a leader elect one; the old leader hears of it when it has stepped down.
    if (isElecting || isUnaware) {
      this.isHealed = true
      return
    }
    const back = state.replicas.filter(({ membership }) => membership !== "joined")
    // A leader goes on with its own state: it has already proposed the sessions that have expired meanwhile.
    if (isolated === state.leader) {
      isolated.membership = "joined"
      server.deliver(state.expireSessions(server.timestamps()))
    }
    this.join(back)
    this.end()
  }

  get nextDue(): number | undefined {
    return this.due.size === 0 ? undefined : Math.min(...this.due.values())
  }

  /** Does everything that is due by now. */
  advance(now: number): void {
    for (const [member, at] of [...this.due]) {
      if (at > now || !this.due.has(member)) continue
      if (member.membership === "alone") this.giveUp(member, now)
      else this.elect(now)
    }
  }

  /** Ends the partition at once: all members catch up, whatever they would do by themselves. */
  heal(): void {
    if (this.isolated === undefined) return
    this.join(this.server.state.replicas)
    this.end()
  }

  /** Ends the partition at once, for a state that replaces all of this. */
  forget(): void {
    if (this.isolated === undefined) return
    for (const replica of this.server.state.replicas) {
      replica.membership = "joined"
      replica.touched.clear()
    }
    this.end()
  }

  private giveUp(member: Member, now: number): void {
    this.due.delete(member)
    member.membership = "down"
    member.touched.clear()
    this.server.disconnect(member)
    if (member !== this.isolated) {
      this.due.set(member, now + this.server.settings.tickTime / 2)
    } else if (this.isHealed && member !== this.server.state.leader) {
      this.join([member])
      this.end()
    }
  }

  private elect(now: number): void {
    const { state } = this.server
    const majority = state.replicas.filter((replica) => replica !== this.isolated)
    for (const member of majority) this.due.delete(member)
    state.lead(majority.at(-1)!, now)
    this.join(majority)
    if (this.isHealed && this.isolated?.membership === "down") {
      this.join([this.isolated])
      this.end()
    }
  }

  /** The members follow the log again, from its end on. */
  private join(members: ReadonlyArray<Member>): void {
    const { server } = this
    for (const member of members) {
      this.due.delete(member)
      member.membership = "joined"
    }
    for (const member of members) server.deliver(server.state.welcome(member, server.timestamps()))
    for (const connection of [...server.connections.values()]) {
      const { replica, session } = connection.client
      if (!members.includes(replica)) continue
      if (session !== undefined && server.state.sessions.get(session.id) !== session) connection.end()
      else connection.drain()
    }
  }

  private end(): void {
    this.isolated = undefined
    this.due.clear()
    this.whole.openUnsafe()
  }
}
